import type { LimitName } from "../config/limits.ts";
import { type Charge, msUntilUnused } from "./quota.ts";
import { toRfc3339 } from "./period.ts";

/** What is left of a limit. */
export interface LimitLeft {
  /** What the limit applies to: the caller's key, or its session. */
  scope: "key" | "session";
  limit: LimitName;
  /** The limit itself: per minute, or in USD per day or month. */
  allowed: number;
  used: number;
  /** At least 0. */
  left: number;
  /** Time at which nothing is used any more, in RFC 3339. */
  resets_at: string;
}

/** Returns what is left of the limits of charges; those of the gateway as a whole are left out. */
export function toLimitsLeft(charges: readonly Charge[], used: readonly number[], now: number): LimitLeft[] {
  return charges.flatMap(({ quota }, at): LimitLeft[] => {
    const { subject, metric, limit } = quota;
    if (subject.kind === "gateway" || metric === "metadata" || metric === "metadata_concurrent") return [];
    const usedNow = used[at] ?? 0;
    return [{
      scope: subject.kind,
      limit: metric,
      allowed: limit,
      used: usedNow,
      left: Math.max(0, limit - usedNow),
      resets_at: toRfc3339(now + (msUntilUnused(quota, usedNow, now) ?? 0)),
    }];
  });
}
