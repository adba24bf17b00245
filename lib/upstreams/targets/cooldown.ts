/**
 * Pause of a target after a failure. `since` and `until` are times in milliseconds since 1970; at `until`, the target
 * is half open: one request at a time tries it, and its result ends or renews the pause.
 */
export interface Cooldown {
  since: number;
  until: number;
  /** Failures in a row, from 1. */
  failures: number;
  /** HTTP status of the last failure. */
  status: number;
  /** True if the upstream said with `retry-after` when it answers again. It is not asked before. */
  stated: boolean;
}

/** A failure of a request to a target. */
export interface TargetFailure {
  status: number;
  /** Start of the request, and time of its failure, in milliseconds since 1970. */
  startedAt: number;
  at: number;
  /** Delay that the upstream asked for, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** True if a repeat soon is futile, such as after the quota of a day. */
  futile?: boolean;
}

/** First pause after a failure, which doubles with each further one, and the longest, in milliseconds. */
export interface CooldownLimits {
  firstMs: number;
  maxMs: number;
}

/** State of a target: `half_open` after a pause, until a request has succeeded. */
export type TargetState = "healthy" | "cooling" | "half_open";

/**
 * Returns the pause after a failure.
 *
 * Requests that were under way when the pause began do not lengthen it: a hundred parallel requests that fail at once
 * are one failure. An upstream that asks for a longer pause gets it, up to the maximum.
 *
 * @example Usage
 * ```ts
 * import { afterFailure } from "./cooldown.ts";
 *
 * const limits = { firstMs: 5000, maxMs: 300_000 };
 * const first = afterFailure(undefined, { status: 503, startedAt: 0, at: 100 }, limits);
 * if (first.until !== 5100) throw new Error("expected 5 s");
 * const second = afterFailure(first, { status: 503, startedAt: 6000, at: 6000 }, limits);
 * if (second.until !== 16_000) throw new Error("expected 10 s");
 * ```
 */
export function afterFailure(
  previous: Cooldown | undefined,
  { status, startedAt, at, retryAfterMs = 0, futile = false }: TargetFailure,
  { firstMs, maxMs }: CooldownLimits,
): Cooldown {
  const stated = retryAfterMs > 0 || futile;
  const statedUntil = at + Math.min(maxMs, futile ? maxMs : retryAfterMs);
  const isSameOutage = previous !== undefined && (at < previous.until || startedAt < previous.since);
  if (isSameOutage) {
    return stated && statedUntil > previous.until
      ? { ...previous, until: statedUntil, status, stated: true }
      : previous;
  }
  const failures = (previous?.failures ?? 0) + 1;
  const until = stated ? statedUntil : at + Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return { since: at, until, failures, status, stated };
}

/** Returns the pause after an answer: none, unless the request began before the failure. */
export function afterAnswer(previous: Cooldown | undefined, startedAt: number): Cooldown | undefined {
  return previous !== undefined && startedAt < previous.since ? previous : undefined;
}

/** Returns the state at a time in milliseconds since 1970. */
export function stateOf(cooldown: Cooldown | undefined, now: number): TargetState {
  if (cooldown === undefined) return "healthy";
  return now < cooldown.until ? "cooling" : "half_open";
}
