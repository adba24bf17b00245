/** What something has used that is limited, and how use is forgotten. */
export type Quota =
  & {
    /** Tells it from every other, also for the stores. */
    name: string;
    limit: number;
    /** Whose use it is. */
    subject: Subject;
    /** What is measured; `lookups` are questions that no model answers. */
    metric:
      | "requests"
      | "metadata"
      | "input_tokens"
      | "output_tokens"
      | "concurrent"
      | "usd_day"
      | "usd_month";
  }
  & (
    /** Use that drains away: the whole limit in a minute. So a burst may use at once what a minute allows. */
    | { kind: "rate" }
    /** Use that adds up until a moment, in milliseconds since 1970. */
    | { kind: "budget"; until: number }
    /** Places that are taken and given back. */
    | { kind: "concurrency" }
  );

/** Whom a limit holds for. */
export type Subject = { kind: "key"; name: string } | { kind: "session" } | { kind: "gateway" };

/** An amount that a request adds to a meter, or takes back where it is negative. */
export interface Charge {
  quota: Quota;
  amount: number;
  /** Who takes a place, so that it can be told from others. */
  holder?: string;
}

/** Draws that were judged together, and what of each meter is used at that moment. */
export interface QuotaCheck {
  charges: readonly Charge[];
  used: readonly number[];
  now: number;
}

/** How much was used at a moment, in milliseconds since 1970. */
export interface QuotaUse {
  used: number;
  at: number;
}

/** What of a use is left at a later moment; a clock that was put back forgets nothing and adds nothing. */
export function usedAt(quota: Quota, { used, at }: QuotaUse, now: number): number {
  switch (quota.kind) {
    case "rate":
      return Math.max(0, used - Math.max(0, now - at) * drainPerMs(quota));
    case "budget":
      return now >= quota.until ? 0 : used;
    case "concurrency":
      return used;
  }
}

/**
 * Tells whether an amount may be drawn where so much is used.
 *
 * Where anything is left, what is too large for any moment may be drawn once nothing is used. What was used beyond the
 * limit, because it was not known before, has to drain first.
 */
export function fits({ limit }: Quota, used: number, amount: number): boolean {
  return used < limit && used + Math.min(amount, limit) <= limit;
}

/** The use after an amount was drawn. */
export function addUse(
  quota: Quota,
  use: QuotaUse,
  { amount, now }: { amount: number; now: number },
): QuotaUse {
  return { used: Math.max(0, usedAt(quota, use, now) + amount), at: Math.max(use.at, now) };
}

/** Milliseconds until an amount fits that does not fit now; of places nobody can know it. */
export function msUntilFits(
  quota: Quota,
  used: number,
  { amount, now }: { amount: number; now: number },
): number | undefined {
  switch (quota.kind) {
    case "rate":
      return Math.max(1, (used + Math.min(amount, quota.limit) - quota.limit) / drainPerMs(quota));
    case "budget":
      return Math.max(1, quota.until - now);
    case "concurrency":
      return undefined;
  }
}

/** Milliseconds after which nothing of a use is left by itself. */
export function msUntilUnused(quota: Quota, used: number, now: number): number | undefined {
  switch (quota.kind) {
    case "rate":
      return Math.ceil(used / drainPerMs(quota));
    case "budget":
      return Math.max(0, quota.until - now);
    case "concurrency":
      return undefined;
  }
}

/** What drains in a millisecond. */
function drainPerMs({ limit }: Quota): number {
  return limit / MINUTE_MS;
}

const MINUTE_MS = 60_000;
