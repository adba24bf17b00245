/** What something has used that is limited, and how use is forgotten. */
export type Meter =
  & {
    /** Tells it from every other, also for the stores. */
    name: string;
    limit: number;
    /** Whose use it is. */
    of: Subject;
    /** What is measured; `lookups` are questions that no model answers. */
    what: "requests" | "lookups" | "input_tokens" | "output_tokens" | "concurrent" | "usd_day" | "usd_month";
  }
  & (
    /** Use that drains away: the whole limit in a minute. So a burst may use at once what a minute allows. */
    | { kind: "flow" }
    /** Use that adds up until a moment, in milliseconds since 1970. */
    | { kind: "budget"; until: number }
    /** Places that are taken and given back. */
    | { kind: "places" }
  );

/** Whom a limit holds for. */
export type Subject = { kind: "key"; name: string } | { kind: "session" } | { kind: "gateway" };

/** An amount that a request adds to a meter, or takes back where it is negative. */
export interface Draw {
  meter: Meter;
  amount: number;
  /** Who takes a place, so that it can be told from others. */
  holder?: string;
}

/** Draws that were judged together, and what of each meter is used at that moment. */
export interface Judged {
  draws: readonly Draw[];
  used: readonly number[];
  now: number;
}

/** How much was used at a moment, in milliseconds since 1970. */
export interface Use {
  used: number;
  at: number;
}

/** What of a use is left at a later moment; a clock that was put back forgets nothing and adds nothing. */
export function usedAt(meter: Meter, { used, at }: Use, now: number): number {
  switch (meter.kind) {
    case "flow":
      return Math.max(0, used - Math.max(0, now - at) * toRate(meter));
    case "budget":
      return now >= meter.until ? 0 : used;
    case "places":
      return used;
  }
}

/**
 * Tells whether an amount may be drawn where so much is used.
 *
 * Where anything is left, what is too large for any moment may be drawn once nothing is used. What was used beyond the
 * limit, because it was not known before, has to drain first.
 */
export function fits({ limit }: Meter, used: number, amount: number): boolean {
  return used < limit && used + Math.min(amount, limit) <= limit;
}

/** The use after an amount was drawn. */
export function drawn(meter: Meter, use: Use, { amount, now }: { amount: number; now: number }): Use {
  return { used: Math.max(0, usedAt(meter, use, now) + amount), at: Math.max(use.at, now) };
}

/** Milliseconds until an amount fits that does not fit now; of places nobody can know it. */
export function waitFor(
  meter: Meter,
  used: number,
  { amount, now }: { amount: number; now: number },
): number | undefined {
  switch (meter.kind) {
    case "flow":
      return Math.max(1, (used + Math.min(amount, meter.limit) - meter.limit) / toRate(meter));
    case "budget":
      return Math.max(1, meter.until - now);
    case "places":
      return undefined;
  }
}

/** Milliseconds after which nothing of a use is left by itself. */
export function lifeOf(meter: Meter, used: number, now: number): number | undefined {
  switch (meter.kind) {
    case "flow":
      return Math.ceil(used / toRate(meter));
    case "budget":
      return Math.max(0, meter.until - now);
    case "places":
      return undefined;
  }
}

/** What drains in a millisecond. */
function toRate({ limit }: Meter): number {
  return limit / MINUTE;
}

const MINUTE = 60_000;
