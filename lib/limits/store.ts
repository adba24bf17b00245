import type { Charge } from "./quota.ts";

/** Result of charges: true if all of them fit, and the use of each quota after them. */
export interface ChargeResult {
  fits: boolean;
  used: number[];
}

/** Store for the use of quotas. */
export interface LimitStore {
  /**
   * Applies all charges, or none if one does not fit. The check and the charge are atomic. A promise only if the store
   * is remote.
   *
   * @throws {ApiError} `overloaded_error` if the store cannot be reached, `api_error` if it is full or read-only.
   */
  charge(charges: readonly Charge[], now: number): ChargeResult | Promise<ChargeResult>;
  /** Applies all charges even if they do not fit: the usage has happened. A failure is retried later or logged. */
  record(charges: readonly Charge[], now: number): void;
  /** Settles when no record is under way. Those that failed are tried once more. */
  settle(): Promise<void>;
}
