import type { Clock } from "../../runtime/clock.ts";
import { logWarning } from "../../observability/log.ts";
import { firstKeptDay, toDay } from "./days.ts";
import { toRows } from "./entry.ts";
import type { Ledger } from "./ledger.ts";
import type { LedgerBatch, LedgerStore } from "./ledger_store.ts";
import { LedgerTable } from "./table.ts";

/** Time from the first turn of a batch until the batch is written, in milliseconds. */
const WRITE_DELAY_MS = 5000;
/** Time from a failed write to the next one. */
const RETRY_DELAY_MS = 30_000;

/**
 * Creates a ledger on a store. Turns are summed in memory and written in batches.
 *
 * A batch that cannot be written is kept and written later under the same id. Meanwhile the next batch grows up to the
 * maximum number of rows of its days. A killed process loses the turns of the last 5 s. The process ends only after the
 * first attempt to write a turn; it does not wait for further ones.
 */
export function createStoredLedger(
  store: LedgerStore,
  { clock, newId }: { clock: Clock; newId(prefix: string): string },
): Ledger {
  let next = new LedgerTable();
  let unwritten: LedgerBatch | undefined;
  /** Reads and writes run one after the other: a batch is then either in the store or in memory. */
  let last: Promise<unknown> = Promise.resolve();
  let cancelTimer: (() => void) | undefined;
  let isFailing = false;

  function enqueue<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = last.then(task);
    last = result.catch(() => {});
    return result;
  }

  function schedule(ms: number, options?: { background: boolean }): void {
    const run = () => {
      cancelTimer = undefined;
      void enqueue(write);
    };
    cancelTimer ??= clock.after(ms, run, options);
  }

  /** Writes what there is. Never rejects. */
  async function write(): Promise<void> {
    cancelTimer?.();
    cancelTimer = undefined;
    try {
      if (unwritten !== undefined) await store.write(unwritten, clock.now());
      unwritten = undefined;
      if (next.size > 0) {
        unwritten = { id: newId("batch_"), rows: next.rows() };
        next = new LedgerTable();
        await store.write(unwritten, clock.now());
        unwritten = undefined;
      }
      isFailing = false;
    } catch (error) {
      if (!isFailing) logWarning("spend not written to the ledger, retrying", { error }, "limits");
      isFailing = true;
    }
    if (unwritten !== undefined) schedule(RETRY_DELAY_MS, { background: true });
    else if (next.size > 0) schedule(WRITE_DELAY_MS);
  }

  return {
    place: store.place,
    add(entry) {
      for (const row of toRows(entry, clock.now())) next.add(row);
      if (!isFailing) schedule(WRITE_DELAY_MS);
    },
    read: (range) =>
      enqueue(async () => {
        await write();
        const first = firstKeptDay(toDay(clock.now()));
        const kept = { from: range.from < first ? first : range.from, to: range.to };
        const stored = await store.read(kept);
        const table = new LedgerTable();
        for (const row of [...stored.rows, ...unwritten?.rows ?? [], ...next.rows()]) {
          if (row.day >= kept.from && row.day <= kept.to) table.add(row);
        }
        const days = [stored.since, ...table.days].filter((day) => day !== undefined);
        const [since = undefined] = days.sort();
        return { ...stored, rows: table.rows(), since: since !== undefined && since < first ? first : since };
      }),
    async settle() {
      await enqueue(write);
      cancelTimer?.();
      cancelTimer = undefined;
    },
  };
}
