import type { DayRange } from "./days.ts";
import type { LedgerEntry } from "./entry.ts";
import type { LedgerRow } from "./table.ts";

/** Rows of a range of days, and what is known of their completeness. */
export interface LedgerReading {
  /** One row for each day, key and name. */
  rows: readonly LedgerRow[];
  /** First day that the ledger has; undefined if it has none. */
  since: string | undefined;
  /** Number of entries in the range that cannot be read and are missing in the rows. */
  damaged: number;
}

/** Spend by UTC day, key and model, and by UTC day, key and session, of the last 400 days. */
export interface Ledger {
  /** Where the ledger is kept. In memory, it begins with the process. */
  readonly place: "memory" | "disk" | "redis";
  /** Adds a turn to the current day. Does not wait for a store. */
  add(entry: LedgerEntry): void;
  /**
   * Returns the rows of a range, with the turns that are not yet written to a store.
   *
   * @throws {Error} if the store cannot be read.
   */
  read(range: DayRange): Promise<LedgerReading>;
  /** Settles when all turns are written, or cannot be written now. */
  settle(): Promise<void>;
}
