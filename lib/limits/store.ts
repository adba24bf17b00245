import type { Draw } from "./quota.ts";

/** What came of draws: whether all of them fit, and what of each meter is used now. */
export interface Verdict {
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
  draw(draws: readonly Draw[], now: number): Promise<Verdict>;
  /** Draws all of it, whether it fits or not: it has happened. What fails is tried again later, or logged. */
  record(draws: readonly Draw[], now: number): void;
}
