import type { ApiError } from "../../base/errors.ts";
import { LimitError } from "../../limits/limit_error.ts";

/** Attempts of a request of a batch that an upstream fails, with pauses between them. */
const MAX_ATTEMPTS = 5;

/** Pause before the second attempt, in milliseconds; doubled each time. */
const FIRST_PAUSE_MS = 2000;
const MAX_PAUSE_MS = 60_000;

/**
 * Returns when to try a request of a batch again, in milliseconds since 1970, or `undefined` if its failure is final.
 *
 * A limit of the gateway is waited for until the batch expires. A spent budget is final: it may be spent for a month.
 *
 * @example Usage
 * ```ts
 * import { ApiError } from "../../base/errors.ts";
 * import { retryTime } from "./retry.ts";
 *
 * const error = new ApiError("overloaded_error", "Overloaded");
 * if (retryTime(error, { attempts: 0, now: 0 }) !== 2000) throw new Error("unexpected pause");
 * ```
 */
export function retryTime(
  error: ApiError,
  { attempts, now }: { attempts: number; now: number },
): number | undefined {
  const isLimit = error instanceof LimitError;
  if (!error.retryable || (!isLimit && attempts + 1 >= MAX_ATTEMPTS)) return undefined;
  const backoffMs = isLimit ? 1000 : Math.min(FIRST_PAUSE_MS * 2 ** attempts, MAX_PAUSE_MS);
  return Math.max(now + backoffMs, toRetryTime(error.retryAfter, now));
}

/** Returns the time that `retry-after` names, at most an hour ahead; 0 without one. */
function toRetryTime(retryAfter: string | undefined, now: number): number {
  const seconds = Number(retryAfter ?? Number.NaN);
  const time = Number.isFinite(seconds) ? now + seconds * 1000 : Date.parse(retryAfter ?? "");
  return Number.isFinite(time) ? Math.min(time, now + MAX_RETRY_AFTER_MS) : 0;
}

const MAX_RETRY_AFTER_MS = 3_600_000;
