import {
  FIRST_EVENT_SECONDS,
  mergeCounts,
  percentile,
} from "../../../observability/metrics/histogram_counts.ts";
import type { Minute } from "../../../observability/traffic/minutes.ts";
import { isRunning, type SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { sparkBars, sparkline } from "../../elements/charts.ts";
import {
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatSum,
  UNKNOWN,
} from "../../elements/format.ts";
import { type Html, type HtmlValue, markup, NOTHING } from "../../elements/html.ts";
import { outputSpeed } from "../../elements/request_state.ts";
import { time, unknown } from "../../elements/words.ts";
import { partId } from "../../view.ts";
import { formatLimit } from "../spend/budgets.ts";
import { recentFailures } from "./recent_failures.ts";
import type { Today } from "./today.ts";

/** What the figures are computed from. */
export interface Hour {
  now: number;
  /** The last 60 minutes, the oldest first, and the 60 before them. */
  minutes: readonly Minute[];
  before: readonly Minute[];
  /** The messages that are kept, the newest first. */
  seen: readonly SeenRequest[];
  /** Cost of the current UTC day; undefined if it cannot be read. */
  today: Today | undefined;
}

/** Returns the sum of a count over minutes. */
export function sumOf(
  minutes: readonly Minute[],
  field: "requests" | "failed" | "refused" | "usd" | "outputTokens" | "unpriced",
): number {
  return minutes.reduce((sum, minute) => sum + minute[field], 0);
}

/** Returns a percentile of the times to the first event, in milliseconds. */
export function firstEventMs(minutes: readonly Minute[], share: number): number | undefined {
  const counts = mergeCounts(minutes.map(({ firstEvents }) => firstEvents), FIRST_EVENT_SECONDS.length + 1);
  const seconds = percentile(counts, share, FIRST_EVENT_SECONDS);
  return seconds === undefined ? undefined : seconds * 1000;
}

/** Renders the six figures of the last hour, each with one comparison and its course. */
export function renderFigures(hour: Hour): Html {
  const figures = [running(hour), requests(hour), errors(hour), firstToken(hour), output(hour), cost(hour)];
  return markup`<section aria-labelledby="figures" id="${
    partId("figures")
  }"><h2 class="sr" id="figures">The last hour</h2><dl class="panel strip">${figures}</dl></section>`;
}

function figure(
  name: string,
  { value, unit = "", note, chart }: { value: HtmlValue; unit?: string; note: HtmlValue; chart: Html },
): Html {
  return markup`<div><dt>${name}</dt><dd><span class="value">${value}${
    unit !== "" && markup` <span class="unit">${unit}</span>`
  }</span><br><span class="note">${note}</span>${chart}</dd></div>`;
}

function running({ seen, minutes }: Hour): Html {
  const now = seen.filter(isRunning);
  const waiting = now.filter(({ state }) => state === "waiting").length;
  const counts = minutes.map(({ running }) => running);
  return figure("Running", {
    value: now.length,
    note: now.length === 0 ? "none" : `${waiting} waiting, ${now.length - waiting} answering`,
    chart: sparkline(counts, {
      label: `Running requests over the last hour: at most ${Math.max(...counts)}`,
    }),
  });
}

function requests({ minutes, before }: Hour): Html {
  const total = sumOf(minutes, "requests");
  const earlier = sumOf(before, "requests");
  const change = earlier === 0
    ? ""
    : `, ${formatPercent(Math.abs(total / earlier - 1))} ${total < earlier ? "down" : "up"}`;
  const counts = minutes.map(({ requests }) => requests);
  return figure("Requests", {
    value: formatCount(total),
    note: total === 0
      ? "none in the last hour"
      : `${(total / 60).toFixed(1)} a minute${total === earlier ? "" : change}`,
    chart: sparkline(counts, {
      label: `Requests a minute over the last hour: at most ${Math.max(...counts)}`,
    }),
  });
}

function errors({ minutes, now }: Hour): Html {
  const failed = sumOf(minutes, "failed");
  const refused = sumOf(minutes, "refused");
  const total = sumOf(minutes, "requests");
  const recent = recentFailures(minutes, now);
  const note = recent !== undefined
    ? markup`<strong>${recent.count} since ${time(recent.since, "minute")}</strong>`
    : refused > 0
    ? `${refused} refused, expected`
    : "none refused";
  return figure("Errors", {
    value: formatCount(failed),
    ...(failed > 0 && { unit: formatPercent(failed / total) }),
    note,
    chart: sparkBars(minutes.map(({ failed }) => failed), {
      label: `Errors a minute over the last hour: ${formatNumber(failed, "error")}`,
    }),
  });
}

function firstToken({ minutes, before }: Hour): Html {
  const [p50, p95, earlier] = [
    firstEventMs(minutes, 0.5),
    firstEventMs(minutes, 0.95),
    firstEventMs(before, 0.95),
  ];
  if (p50 === undefined || p95 === undefined) {
    return figure("First token", { value: unknown(), note: "not measured in the last hour", chart: NOTHING });
  }
  const course = (share: number) => minutes.map((minute) => (firstEventMs([minute], share) ?? 0) / 1000);
  return figure("First token", {
    value: formatDuration(p50),
    unit: "p50",
    note: `p95 ${formatDuration(p95)}${earlier === undefined ? "" : `, was ${formatDuration(earlier)}`}`,
    chart: sparkline(course(0.5), {
      second: course(0.95),
      label: `Time to first token over the last hour: p50 ${formatDuration(p50)}, p95 ${formatDuration(p95)}`,
    }),
  });
}

function output({ minutes, seen, now }: Hour): Html {
  const tokens = sumOf(minutes, "outputTokens");
  const speeds = seen.filter(({ endedAt }) => endedAt !== undefined && endedAt > now - HOUR_MS)
    .flatMap((request) => outputSpeed(request, now) ?? []).sort((one, other) => one - other);
  const middle = speeds[Math.floor(speeds.length / 2)];
  return figure("Output", {
    value: formatCount(tokens),
    unit: "tokens",
    note: middle === undefined ? "no speed measured" : `${Math.round(middle)} tokens a second, p50`,
    chart: sparkline(minutes.map(({ outputTokens }) => outputTokens), {
      label: "Output tokens a minute over the last hour",
    }),
  });
}

const HOUR_MS = 3_600_000;

function cost({ minutes, today }: Hour): Html {
  const usd = sumOf(minutes, "usd");
  const unpriced = sumOf(minutes, "unpriced");
  return figure("Cost", {
    value: formatSum(usd),
    unit: "this hour",
    note: `${today === undefined ? UNKNOWN : describeDay(today)} today${
      unpriced > 0 ? `, ${formatNumber(unpriced, "request")} without price` : ""
    }`,
    chart: sparkline(minutes.map(({ usd }) => usd), {
      label: `Cost a minute over the last hour: ${formatSum(usd)} in all`,
    }),
  });
}

/** Returns the cost of the day, against the budget of all keys if there is one: `$21.70 of $60`. */
function describeDay({ usd, limit }: Today): string {
  return limit === undefined ? formatSum(usd) : `${formatSum(usd)} of ${formatLimit(limit)}`;
}
