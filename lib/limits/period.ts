/** A day or month in UTC. */
export interface Period {
  /** `2026-11-25` or `2026-11`. */
  name: string;
  /** End of the period, in milliseconds since 1970. */
  until: number;
}

/** Returns the day or month that contains a time. */
export function periodOf(kind: "usd_day" | "usd_month", now: number): Period {
  const time = new Date(now);
  const [year, month, day] = [time.getUTCFullYear(), time.getUTCMonth(), time.getUTCDate()];
  const name = time.toISOString();
  switch (kind) {
    case "usd_day":
      return { name: name.slice(0, 10), until: Date.UTC(year, month, day + 1) };
    case "usd_month":
      return { name: name.slice(0, 7), until: Date.UTC(year, month + 1, 1) };
  }
}

/** Formats a time as RFC 3339, rounded up to the second. */
export function toRfc3339(ms: number): string {
  return new Date(Math.min(Math.ceil(ms / 1000) * 1000, MAX_DATE_MS)).toISOString().replace(".000Z", "Z");
}

/** End of the year 9999, the last year of RFC 3339. A rate overdrawn far enough would drain later. */
const MAX_DATE_MS = 253_402_300_799_000;
