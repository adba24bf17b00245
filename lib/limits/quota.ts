/** A limit of one subject, and how its use decreases. */
export type Quota =
  & {
    /** Unique name, also the key in stores. */
    name: string;
    limit: number;
    /** Subject that the limit applies to. */
    subject: Subject;
    /** Measured unit; `metadata` are requests that no model answers. */
    metric:
      | "requests"
      | "metadata"
      | "input_tokens"
      | "output_tokens"
      | "concurrent"
      | "metadata_concurrent"
      | "usd_day"
      | "usd_month";
  }
  & (
    /** Use drains continuously, the whole limit per minute. A burst may therefore use a minute's limit at once. */
    | { kind: "rate" }
    /** Use accumulates until a time, in milliseconds since 1970. */
    | { kind: "budget"; until: number }
    /** Slots that are taken and released. */
    | { kind: "concurrency" }
  );

/** Subject that a limit applies to. */
export type Subject = { kind: "key"; name: string } | { kind: "session" } | { kind: "gateway" };

/** An amount added to a quota; a negative amount is a refund. */
export interface Charge {
  quota: Quota;
  amount: number;
  /** Id of the holder of a concurrency slot. */
  holder?: string;
}

/** Charges that were checked together, and the use of each quota at that time. */
export interface QuotaCheck {
  charges: readonly Charge[];
  used: readonly number[];
  now: number;
}

/** Use of a quota at a time, in milliseconds since 1970. */
export interface QuotaUse {
  used: number;
  at: number;
}

/** Returns the use that is left at a later time. If the clock was set back, use stays the same. */
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
 * True if an amount may be charged at a given use.
 *
 * A charge larger than the limit is admitted only when use is zero. Overdraft, which usage unknown at admission causes,
 * must drain first.
 */
export function fits({ limit }: Quota, used: number, amount: number): boolean {
  return used < limit && used + Math.min(amount, limit) <= limit;
}

/** Returns the use after a charge. */
export function addUse(
  quota: Quota,
  use: QuotaUse,
  { amount, now }: { amount: number; now: number },
): QuotaUse {
  return { used: Math.max(0, usedAt(quota, use, now) + amount), at: Math.max(use.at, now) };
}

/** Milliseconds until an amount fits that does not fit now; undefined for concurrency. */
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

/** Milliseconds until use drains or expires; undefined for concurrency. */
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

/** Use that drains per millisecond. */
function drainPerMs({ limit }: Quota): number {
  return limit / MINUTE_MS;
}

const MINUTE_MS = 60_000;
