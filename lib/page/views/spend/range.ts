import { type DayRange, daysOf, shiftDay } from "../../../limits/ledger/days.ts";

/** Range of days that Spend shows, and the one before it. */
export interface SpendRange extends DayRange {
  /** Query that chooses it, such as `month=2026-11`. */
  query: string;
  /** In a sentence: `in November so far`, `today`. */
  words: string;
  /** Number of days, the current one included. */
  days: number;
  /** True if the range has the current day. */
  isOpen: boolean;
  /** Month that it is, with the number of its days; undefined for the last days. */
  month: { name: string; days: number } | undefined;
  /** The range that it is compared with; its words are those of a sentence, too: `in October by the 29th`. */
  previous: DayRange & { words: string };
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** Numbers of days that can be chosen. */
const DAYS: ReadonlyMap<string, string> = new Map([["1", "today"], ["7", "in 7 days"], ["30", "in 30 days"]]);

/**
 * Returns the range that a query chooses: `days=1`, `days=7`, `days=30` or `month=2026-11`; anything else is the
 * current month. Days and months are those of UTC.
 *
 * @example Usage
 * ```ts
 * import { readRange } from "./range.ts";
 *
 * const { from, to, words } = readRange(new URLSearchParams("month=2026-10"), "2026-11-30");
 * if (`${from} ${to} ${words}` !== "2026-10-01 2026-10-31 in October") throw new Error(words);
 * ```
 */
export function readRange(query: URLSearchParams, today: string): SpendRange {
  const days = query.get("days") ?? "";
  const words = DAYS.get(days);
  if (words !== undefined) return lastDays(Number(days), words, today);
  const month = query.get("month") ?? "";
  const isMonth = /^\d{4}-(0[1-9]|1[0-2])$/.test(month) && month <= monthOf(today);
  return toMonth(isMonth ? month : monthOf(today), today);
}

/** Returns the name of a month, with its year if it is another one than that of the current day. */
export function monthName(month: string, today: string): string {
  const name = MONTHS[Number(month.slice(5, 7)) - 1] ?? "";
  return month.slice(0, 4) === today.slice(0, 4) ? name : `${name} ${month.slice(0, 4)}`;
}

/** Returns the month of a day: `2026-11`. */
export function monthOf(day: string): string {
  return day.slice(0, "2026-11".length);
}

/** Returns the month before a month. */
export function monthBefore(month: string): string {
  return monthOf(shiftDay(`${month}-01`, -1));
}

/** Returns a day in words: `29 November`. */
export function dayName(day: string): string {
  return `${Number(day.slice(8))} ${MONTHS[Number(day.slice(5, 7)) - 1] ?? ""}`;
}

function lastDays(days: number, words: string, today: string): SpendRange {
  const from = shiftDay(today, 1 - days);
  return {
    from,
    to: today,
    query: `days=${days}`,
    words,
    days,
    isOpen: true,
    month: undefined,
    previous: {
      from: shiftDay(from, -days),
      to: shiftDay(from, -1),
      words: days === 1 ? "yesterday" : `in the ${days} days before`,
    },
  };
}

function toMonth(month: string, today: string): SpendRange {
  const last = lastDayOf(month);
  const isOpen = month === monthOf(today);
  const to = isOpen ? today : last;
  const before = monthBefore(month);
  const lastBefore = lastDayOf(before);
  const sameDay = `${before}${to.slice("2026-11".length)}`;
  // A month that is not over is compared with the same days of the month before.
  const previousTo = isOpen && sameDay < lastBefore ? sameDay : lastBefore;
  const name = monthName(month, today);
  const previousName = monthName(before, today);
  return {
    from: `${month}-01`,
    to,
    query: `month=${month}`,
    words: isOpen ? `in ${name} so far` : `in ${name}`,
    days: daysOf({ from: `${month}-01`, to }).length,
    isOpen,
    month: { name, days: Number(last.slice(8)) },
    previous: {
      from: `${before}-01`,
      to: previousTo,
      words: previousTo === lastBefore
        ? `in ${previousName}`
        : `in ${previousName} by the ${ordinal(Number(previousTo.slice(8)))}`,
    },
  };
}

function lastDayOf(month: string): string {
  const next = monthOf(shiftDay(`${month}-01`, 31));
  return shiftDay(`${next}-01`, -1);
}

function ordinal(day: number): string {
  const ending = day >= 11 && day <= 13 ? "th" : ["th", "st", "nd", "rd"][day % 10] ?? "th";
  return `${day}${ending}`;
}
