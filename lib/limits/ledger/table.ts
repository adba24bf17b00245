import { type Counts, increase, NO_COUNTS } from "./counts.ts";

/** What a client's key used on one day in UTC, with one model or in one session. */
export interface LedgerRow {
  /** Such as `2026-11-30`. */
  day: string;
  /** What `name` is: an upstream and its model, or the id of a session. */
  by: "model" | "session";
  /** Name of the client's key. */
  client: string;
  name: string;
  counts: Counts;
}

/** Maximum number of names of one key, by model and by session, on one day. */
export const MAX_NAMES = 1000;
/** Stands for all further names of a day. */
export const OTHER_NAMES = "(others)";
const MAX_NAME_CHARS = 256;

/** Rows of the ledger, summed by day, key and name. Rows beyond the maximum of a day are summed as `(others)`. */
export class LedgerTable {
  /** By day. */
  readonly #days = new Map<string, Map<string, LedgerRow>>();
  /** Number of names by day, kind and key. */
  readonly #names = new Map<string, number>();
  readonly #maxNames: number;
  #size = 0;

  constructor({ maxNames = MAX_NAMES }: { maxNames?: number } = {}) {
    this.#maxNames = maxNames;
  }

  /** Number of rows. */
  get size(): number {
    return this.#size;
  }

  /** Days that have rows, in the order of their first row. */
  get days(): string[] {
    return [...this.#days.keys()];
  }

  /** Returns the rows of one day, or of all days. */
  rows(day?: string): LedgerRow[] {
    const days = day === undefined ? [...this.#days.values()] : [this.#days.get(day) ?? new Map()];
    return days.flatMap((rows) => [...rows.values()]);
  }

  /** Adds counts to the row of the same day, key and name. */
  add({ day, by, client, name, counts }: LedgerRow): void {
    const rows = this.#days.get(day) ?? new Map<string, LedgerRow>();
    this.#days.set(day, rows);
    const wanted = name.slice(0, MAX_NAME_CHARS).toWellFormed();
    const row = rows.get(toKey(by, client, wanted)) ?? this.#create(rows, { day, by, client, name: wanted });
    increase(row.counts, counts);
  }

  /** Creates the row of a name; beyond the maximum returns the row of all others. */
  #create(rows: Map<string, LedgerRow>, fields: Omit<LedgerRow, "counts">): LedgerRow {
    const { day, by, client } = fields;
    const group = toKey(day, by, client);
    const names = this.#names.get(group) ?? 0;
    const isOther = names >= this.#maxNames || fields.name === OTHER_NAMES;
    const name = isOther ? OTHER_NAMES : fields.name;
    if (!isOther) this.#names.set(group, names + 1);
    const key = toKey(by, client, name);
    const row = rows.get(key) ?? { ...fields, name, counts: { ...NO_COUNTS } };
    if (!rows.has(key)) this.#size++;
    rows.set(key, row);
    return row;
  }

  /** Removes the rows of a day. */
  delete(day: string): void {
    this.#size -= this.#days.get(day)?.size ?? 0;
    this.#days.delete(day);
    for (const group of this.#names.keys()) {
      if (group.startsWith(`["${day}"`)) this.#names.delete(group);
    }
  }
}

function toKey(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}
