import type { Charge } from "./quota.ts";

/** What came of draws: whether all of them fit, and what of each meter is used now. */
export interface ChargeResult {
  fits: boolean;
  used: number[];
}

/** Where is kept what was used. */
export interface LimitStore {
  /**
   * Draws all of it, or nothing where one does not fit; nobody else draws in between.
   *
   * @throws {ApiError} `overloaded_error` if the store cannot be reached.
   */
  charge(charges: readonly Charge[], now: number): Promise<ChargeResult>;
  /** Draws all of it, whether it fits or not: it has happened. What fails is tried again later, or logged. */
  record(charges: readonly Charge[], now: number): void;
}
