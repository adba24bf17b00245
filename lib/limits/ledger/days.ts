/** Days that the ledger keeps, the current one included. */
export const KEPT_DAYS = 400;

const DAY_MS = 86_400_000;

/** Returns the day in UTC that contains a time, such as `2026-11-30`. */
export function toDay(now: number): string {
  const number = Math.floor(now / DAY_MS);
  if (number !== newest.number) {
    newest = { number, day: new Date(now).toISOString().slice(0, "2026-11-30".length) };
  }
  return newest.day;
}

/** The day that was asked for last, and its number since 1970. */
let newest = { number: NaN, day: "" };

/**
 * Returns the day a number of days later, or earlier if the number is negative.
 *
 * @example Usage
 * ```ts
 * import { shiftDay } from "./days.ts";
 *
 * if (shiftDay("2026-03-01", -1) !== "2026-02-28") throw new Error();
 * ```
 */
export function shiftDay(day: string, days: number): string {
  return toDay(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS);
}

/** First and last day of a range. */
export interface DayRange {
  from: string;
  to: string;
}

/** Returns the days of a range, the first first; at most {@linkcode KEPT_DAYS}, the last ones. */
export function daysOf({ from, to }: DayRange): string[] {
  const days: string[] = [];
  for (let day = to; day >= from && days.length < KEPT_DAYS; day = shiftDay(day, -1)) days.push(day);
  return days.reverse();
}

/** Returns the first day that is kept on a day. */
export function firstKeptDay(today: string): string {
  return shiftDay(today, 1 - KEPT_DAYS);
}
