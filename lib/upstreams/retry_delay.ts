import type { ApiError } from "../base/errors.ts";

/** A failure of an upstream before its answer began. */
export interface RetryableFailure {
  error: ApiError;
  /** HTTP status. Undefined if no connection was made, so that the request did not reach the upstream. */
  status?: number;
}

/** HTTP statuses for which the upstream has not processed the request. */
const RETRYABLE_STATUSES = new Set([408, 429, 502, 503, 529]);

/** Maximum delay. If the upstream requests a longer one, the error goes to the client. */
const MAX_DELAY_MS = 10_000;

/** Delay before the first retry without `retry-after`. It doubles with each retry. */
const FIRST_DELAY_MS = 500;

/**
 * Returns the delay before a retry in milliseconds, or `undefined` if the request must not be retried: a retry cannot
 * succeed, or the upstream may have processed the request and billed it.
 *
 * @example Usage
 * ```ts
 * import { ApiError } from "../base/errors.ts";
 * import { retryDelay } from "./retry_delay.ts";
 *
 * const error = new ApiError("rate_limit_error", "Slow down", { retryAfter: "3" });
 * if (retryDelay({ error, status: 429 }, { nth: 0, now: 0 }) !== 3000) throw error;
 * if (retryDelay({ error, status: 500 }, { nth: 0, now: 0 }) !== undefined) throw error;
 * ```
 */
export function retryDelay(
  { error, status }: RetryableFailure,
  { nth, now }: { nth: number; now: number },
): number | undefined {
  if (!error.retryable || (status !== undefined && !RETRYABLE_STATUSES.has(status))) return undefined;
  const delayMs = toMilliseconds(error.retryAfter, now) ?? FIRST_DELAY_MS * 2 ** nth;
  return delayMs <= MAX_DELAY_MS ? delayMs : undefined;
}

/** Converts `retry-after`, in seconds or as a date, to milliseconds from now. */
export function toMilliseconds(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
