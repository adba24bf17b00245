import type { Clock } from "../../runtime/clock.ts";
import { KEPT_DAYS, toDay } from "./days.ts";
import { toRows } from "./entry.ts";
import type { Ledger } from "./ledger.ts";
import { LedgerTable } from "./table.ts";

/** Rows above which the oldest days are removed. */
const MAX_ROWS = 20_000;

/** Creates a ledger in the memory of this process, of at most about 20,000 rows. */
export function createMemoryLedger(
  { clock, maxRows = MAX_ROWS }: { clock: Clock; maxRows?: number },
): Ledger {
  const table = new LedgerTable();
  return {
    place: "memory",
    add(entry) {
      for (const row of toRows(entry, clock.now())) table.add(row);
      const [oldest] = table.days;
      const isFull = table.size > maxRows || table.days.length > KEPT_DAYS;
      if (isFull && oldest !== undefined && oldest !== toDay(clock.now())) table.delete(oldest);
    },
    read({ from, to }) {
      // Copies: a row changes with its next turn.
      const rows = table.rows().filter(({ day }) => day >= from && day <= to)
        .map((row) => ({ ...row, counts: { ...row.counts } }));
      return Promise.resolve({ rows, since: table.days[0], damaged: 0 });
    },
    settle: () => Promise.resolve(),
  };
}
