import type { ErrorGroup } from "../../../observability/traffic/error_groups.ts";
import { attributes, type Html, markup } from "../../elements/html.ts";

/** Time before now that Errors shows. */
export interface Period {
  /** Value of `last` in the query; empty for the default. */
  name: string;
  /** Word of the link that chooses it. */
  label: string;
  /** In a sentence: `24 hours`. */
  words: string;
  /** Its counts: the unit of each, and their number. */
  unit: "minutes" | "hours";
  length: number;
}

const UNIT_MS = { minutes: 60_000, hours: 3_600_000 };

const DAY: Period = { name: "", label: "24 h", words: "24 hours", unit: "hours", length: 24 };
const PERIODS: readonly Period[] = [
  { name: "1h", label: "1 h", words: "1 hour", unit: "minutes", length: 60 },
  DAY,
  { name: "7d", label: "7 days", words: "7 days", unit: "hours", length: 7 * 24 },
];

/** Returns the period that a query chooses; 24 hours for anything else. */
export function readPeriod(query: URLSearchParams): Period {
  const name = query.get("last");
  return PERIODS.find((period) => period.name === name) ?? DAY;
}

/** Returns the errors of a group within a period, the oldest first. */
export function countsOf(group: ErrorGroup, { unit, length }: Period, now: number): number[] {
  const newest = Math.floor(now / UNIT_MS[unit]);
  return Array.from({ length }, (_, at) => group[unit].get(newest - length + 1 + at) ?? 0);
}

/** Returns the sum of counts. */
export function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Returns the address of a group, or without one of the list, in a period. */
export function toAddress(group: string | undefined, { name }: Period): string {
  const query = new URLSearchParams({
    ...(group !== undefined && { group }),
    ...(name !== "" && { last: name }),
  });
  return query.size === 0 ? "errors" : `errors?${query}`;
}

/** Renders the links to the periods. */
export function renderPeriods(chosen: Period): Html {
  return markup`<div class="actions screen"><nav class="segment" aria-label="Period">${
    PERIODS.map((period) =>
      markup`<a href="${toAddress(undefined, period)}"${
        attributes({ "aria-current": period === chosen && "true" })
      }>${period.label}</a>`
    )
  }</nav></div>`;
}
