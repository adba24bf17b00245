/** A day or a month by UTC. */
export interface Period {
  /** `2026-11-25` or `2026-11`. */
  name: string;
  /** When it ends, in milliseconds since 1970. */
  until: number;
}

/** The day or the month in which a moment lies. */
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

/** A moment as RFC 3339 writes it, to the second, and never before it has come. */
export function toRfc3339(ms: number): string {
  return new Date(Math.min(Math.ceil(ms / 1000) * 1000, MAX_DATE_MS)).toISOString().replace(".000Z", "Z");
}

/** The last moment that a date can name: far away, for whoever is that deep in debt. */
const MAX_DATE_MS = 253_402_300_799_000;
