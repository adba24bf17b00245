import * as v from "valibot";
import type { Clock } from "../../runtime/clock.ts";
import { createRedisScripts, type RedisConnection } from "../../runtime/stores/redis.ts";
import { COUNT_NAMES, NO_COUNTS } from "./counts.ts";
import { daysOf, KEPT_DAYS } from "./days.ts";
import type { LedgerStore } from "./ledger_store.ts";
import { ADD_SCRIPT, READ_SCRIPT } from "./redis_ledger_script.ts";
import { type LedgerRow, LedgerTable, MAX_NAMES, OTHER_NAMES } from "./table.ts";

const DAY_MS = 86_400_000;
/** Days that one call reads: a day may have thousands of fields, and a script blocks the server. */
const DAYS_PER_CALL = 31;

/** Options of {@linkcode createRedisLedger}. */
export interface RedisLedgerOptions {
  clock: Clock;
  /** Opens a connection. Default: with the package `@redis/client`. */
  connect?: (url: string) => Promise<RedisConnection>;
  maxNames?: number;
}

/**
 * Creates a store in Redis or Valkey, which several gateways share: one hash a UTC day, which expires after 400 days.
 * It connects at the first use, and again after a failure.
 */
export function createRedisLedger(
  url: string,
  { clock, connect, maxNames = MAX_NAMES }: RedisLedgerOptions,
): LedgerStore {
  // The failure is logged by the ledger.
  const scripts = createRedisScripts(url, { clock, connect, name: "ledger's store", onFailure: () => {} });
  return {
    place: "redis",
    async write({ id, rows }, now) {
      const table = new LedgerTable();
      for (const row of rows) table.add(row);
      for (const day of table.days) {
        const lifeMs = Math.max(1, Date.parse(`${day}T00:00:00Z`) + KEPT_DAYS * DAY_MS - now);
        await scripts.run(ADD_SCRIPT, {
          keys: [dayKey(day), `${PREFIX}:${id}:${day}`, SINCE_KEY],
          arguments: [
            ...[day, lifeMs, maxNames, COUNT_NAMES.length].map(String),
            ...table.rows(day).flatMap(toArguments),
          ],
        });
      }
    },
    async read(range) {
      const days = daysOf(range);
      const rows: LedgerRow[] = [];
      let since = "";
      let damaged = 0;
      for (let at = 0; at < days.length || at === 0; at += DAYS_PER_CALL) {
        const part = days.slice(at, at + DAYS_PER_CALL);
        const answer = await scripts.run(READ_SCRIPT, {
          keys: [SINCE_KEY, ...part.map(dayKey)],
          arguments: [],
        });
        const [first, ...hashes] = v.parse(ReadAnswer, answer);
        since = first;
        for (const [nth, fields] of hashes.entries()) {
          const found = parseHash(part[nth] ?? "", fields);
          rows.push(...found.rows);
          damaged += found.damaged;
        }
      }
      return { rows, since: since === "" ? undefined : since, damaged };
    },
  };
}

/** The braces are a hash tag: all keys are on one node of a cluster, as a script requires. */
const PREFIX = "gateway:{limits}:ledger";
const SINCE_KEY = `${PREFIX}:since`;

const ReadAnswer = v.tupleWithRest([v.string()], v.array(v.string()));

/** Name of a field: the row as JSON, and the number of the count. */
const FIELD = /^(\[.*\])(\d+)$/s;
const Row = v.pipe(
  v.string(),
  v.parseJson(),
  v.tuple([v.picklist(["model", "session"]), v.string(), v.string()]),
);
const Count = v.pipe(
  v.string(),
  v.transform((text) => Math.min(Number(text), Number.MAX_SAFE_INTEGER)),
  v.safeInteger(),
  v.minValue(0),
);

function dayKey(day: string): string {
  return `${PREFIX}:${day}`;
}

function toArguments({ by, client, name, counts }: LedgerRow): string[] {
  return [
    JSON.stringify([by, client]),
    JSON.stringify([by, client, name]),
    JSON.stringify([by, client, OTHER_NAMES]),
    ...COUNT_NAMES.map((count) => String(counts[count])),
  ];
}

/** Parses the names and values of a hash, which alternate. A field that cannot be read is counted and left out. */
function parseHash(day: string, fields: readonly string[]): { rows: LedgerRow[]; damaged: number } {
  const rows = new Map<string, LedgerRow>();
  let damaged = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? "";
    if (name.startsWith("#")) continue;
    const [, id = "", nth = ""] = FIELD.exec(name) ?? [];
    const row = v.safeParse(Row, id);
    const count = v.safeParse(Count, fields[at + 1]);
    const countName = COUNT_NAMES[Number(nth) - 1];
    if (!row.success || !count.success || countName === undefined) {
      damaged++;
      continue;
    }
    const [by, client, wanted] = row.output;
    const found = rows.get(id) ?? { day, by, client, name: wanted, counts: { ...NO_COUNTS } };
    found.counts[countName] = count.output;
    rows.set(id, found);
  }
  return { rows: [...rows.values()], damaged };
}
