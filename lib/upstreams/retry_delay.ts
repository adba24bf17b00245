import type { ApiError } from "../base/errors.ts";

/** How an upstream failed to begin an answer. */
export interface RetryableFailure {
  error: ApiError;
  /** Its HTTP status; nothing where it could not be connected to, so that it has not seen the question. */
  status?: number;
}

/** Statuses that say that the question was not taken up. */
const RETRYABLE_STATUSES = new Set([408, 429, 502, 503, 529]);

/** The longest wait that an upstream is granted, in milliseconds: for more the client is asked. */
const MAX_DELAY_MS = 10_000;

/** The wait before the first repeat where the upstream asks for none, in milliseconds; it doubles. */
const FIRST_DELAY_MS = 500;

/**
 * Says how many milliseconds to wait before an upstream is asked the same again, or `undefined` where it may not be:
 * where the question may have been taken up, and so be paid for, or a repeat cannot help.
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

/** What `retry-after` asks for, in seconds or as a date. */
function toMilliseconds(retryAfter: string | undefined, now: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
