import type { SeenRequest } from "../../../observability/traffic/seen_request.ts";
import { formatDuration, formatPercent } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { count, unknown } from "../../elements/words.ts";
import { quantile } from "../models/attempts.ts";
import { toOutcomeWords } from "./outcome_words.ts";

/** Calls of one tool that have ended. */
export interface ToolCalls {
  /** Name of the tool; with its server, `docs/search`. */
  tool: string;
  calls: number;
  /** Number of calls that failed, by outcome: `failed`, `timeout` or `bug`. */
  failures: Map<string, number>;
  cancelled: number;
  /** Durations in milliseconds. */
  times: number[];
}

const MAX_ROWS = 50;

/** Counts the calls of tools of the messages that the gateway has seen, the most used tool first. */
export function countToolCalls(seen: readonly SeenRequest[]): ToolCalls[] {
  const counted = new Map<string, ToolCalls>();
  for (const { kind, name: tool, outcome, took } of seen.flatMap(({ steps }) => steps)) {
    if (kind !== "tool" || outcome === undefined) continue;
    const calls: ToolCalls = counted.get(tool) ??
      { tool, calls: 0, failures: new Map(), cancelled: 0, times: [] };
    counted.set(tool, calls);
    calls.calls++;
    if (outcome === "cancelled") calls.cancelled++;
    else if (outcome !== "ok") calls.failures.set(outcome, (calls.failures.get(outcome) ?? 0) + 1);
    if (took !== undefined) calls.times.push(took);
  }
  return [...counted.values()].sort((one, other) => other.calls - one.calls);
}

/** Returns the calls of a server's tools together. */
export function callsOf(server: string, all: readonly ToolCalls[]): { calls: number; failed: number } {
  const own = all.filter(({ tool }) => tool.startsWith(`${server}/`));
  return {
    calls: own.reduce((sum, { calls }) => sum + calls, 0),
    failed: own.reduce((sum, calls) => sum + failedOf(calls), 0),
  };
}

/** Number of calls that failed. */
export function failedOf({ failures }: ToolCalls): number {
  return [...failures.values()].reduce((sum, failed) => sum + failed, 0);
}

/** Renders the table of tools. */
export function toolTable(all: readonly ToolCalls[]): Html {
  const rows = all.slice(0, MAX_ROWS).map((calls) => {
    const failed = failedOf(calls);
    const [most] = [...calls.failures].sort(([, one], [, other]) => other - one);
    const [p50, p95] = [quantile(calls.times, 0.5), quantile(calls.times, 0.95)];
    return markup`<tr><th scope="row" class="fit">${calls.tool}</th><td class="num fit">${
      count(calls.calls)
    }</td><td class="num fit">${formatPercent(failed / calls.calls)}</td><td class="num fit over-m">${
      count(calls.cancelled)
    }</td><td class="num fit over-m">${
      p50 === undefined ? unknown() : formatDuration(p50)
    }</td><td class="num fit over-m">${
      p95 === undefined ? unknown() : formatDuration(p95)
    }</td><td class="over-l">${most === undefined ? unknown() : toOutcomeWords(most[0])}</td></tr>`;
  });
  return markup`<div class="panel scroll"><table aria-labelledby="calls"><thead><tr><th scope="col">Tool</th><th scope="col" class="num">Calls</th><th scope="col" class="num">Failed</th><th scope="col" class="num over-m">Cancelled</th><th scope="col" class="num over-m">p50</th><th scope="col" class="num over-m">p95</th><th scope="col" class="over-l">Most frequent failure</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
