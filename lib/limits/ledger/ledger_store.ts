import type { DayRange } from "./days.ts";
import type { Ledger, LedgerReading } from "./ledger.ts";
import type { LedgerRow } from "./table.ts";

/** Rows that are written together. */
export interface LedgerBatch {
  /** A store ignores a batch whose id it has seen. */
  id: string;
  rows: readonly LedgerRow[];
}

/** Place outside of the process that keeps the rows of the ledger. */
export interface LedgerStore {
  readonly place: Ledger["place"];
  /**
   * Adds a batch, once.
   *
   * @throws {Error} if it may not have been added. It is then written again.
   */
  write(batch: LedgerBatch, now: number): Promise<void>;
  /**
   * Reads the rows of a range. There may be several rows for one day, key and name.
   *
   * @throws {Error} if they cannot be read.
   */
  read(range: DayRange): Promise<LedgerReading>;
}
