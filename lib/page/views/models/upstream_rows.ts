import type { UpstreamCheck } from "../../../upstreams/upstream_check.ts";
import { DEMO, type Upstream } from "../../../upstreams/upstream.ts";
import { distribution } from "../../elements/charts.ts";
import { formatDuration, formatPercent } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { count, state, time, unknown } from "../../elements/words.ts";
import { type Attempts, quantile } from "./attempts.ts";

/** An upstream, its last check, and its attempts of the last hour. */
export interface UpstreamFacts {
  upstream: Upstream;
  /** Undefined while the check runs. */
  check: UpstreamCheck | undefined;
  attempts: Attempts;
}

/** State of an upstream in words. */
export type Health = "healthy" | "checking" | "unchecked" | "unreachable" | "key_rejected" | "failing";

/** Returns the health of an upstream: its check, or failures of requests that were not followed by a success. */
export function healthOf({ upstream, check, attempts: { failing } }: UpstreamFacts): Health {
  if (upstream.name === DEMO) return "healthy";
  if (check?.status === "key_rejected" || check?.status === "unreachable") return check.status;
  if (failing !== undefined) return "failing";
  if (check === undefined) return "checking";
  return check.status;
}

/** True for an upstream that needs a person. */
export function needsAttention(facts: UpstreamFacts): boolean {
  const health = healthOf(facts);
  return health === "unreachable" || health === "key_rejected" || health === "failing";
}

/** Renders the table of upstreams. */
export function upstreamTable(all: readonly UpstreamFacts[], now: number): Html {
  const rows = all.map((facts) => upstreamRow(facts, now));
  return markup`<div class="panel scroll"><table aria-labelledby="upstreams"><thead><tr><th scope="col">Upstream</th><th scope="col">Health</th><th scope="col" class="over-l">Key</th><th scope="col" class="num over-m">Turns</th><th scope="col" class="num">Failed</th><th scope="col" class="num over-m">p50</th><th scope="col" class="num over-m">p95</th><th scope="col" class="over-l">First event</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function upstreamRow(facts: UpstreamFacts, now: number): Html {
  const { upstream, attempts: { sent, failed, firstEvents } } = facts;
  const [p50, p95] = [quantile(firstEvents, 0.5), quantile(firstEvents, 0.95)];
  const ms = (value: number | undefined) => value === undefined ? unknown() : formatDuration(value);
  return markup`<tr><th scope="row">${upstream.name}<span class="sub">${hostOf(upstream)}</span></th><td>${
    healthCell(facts, now)
  }</td><td class="over-l">${keyCell(facts)}</td><td class="num fit over-m">${
    count(sent)
  }</td><td class="num fit">${
    sent === 0 ? unknown() : formatPercent(failed / sent)
  }</td><td class="num fit over-m">${ms(p50)}</td><td class="num fit over-m">${
    ms(p95)
  }</td><td class="fit over-l chart-cell">${
    p50 === undefined || p95 === undefined
      ? markup`<span class="muted">no answers</span>`
      : distribution(toBuckets(firstEvents), {
        label: `Time to the first event of ${upstream.name}: p50 ${formatDuration(p50)}, p95 ${
          formatDuration(p95)
        }`,
        p50: placeOf(p50),
        p95: placeOf(p95),
      })
  }</td></tr>`;
}

function formatAge(ms: number): string {
  return ms < 1000 ? "just now" : `${formatDuration(ms)} ago`;
}

/** Host of an upstream; it may have a port, never a user or a path. */
function hostOf({ name, baseUrl }: Upstream): string {
  if (name === DEMO) return "within the gateway";
  return URL.canParse(baseUrl) ? new URL(baseUrl).host : "";
}

function healthCell(facts: UpstreamFacts, now: number): Html {
  const { check, attempts: { failing } } = facts;
  const checked = check?.checked_at === undefined
    ? undefined
    : markup`<span class="sub">checked ${formatAge(now - Date.parse(check.checked_at))}</span>`;
  switch (healthOf(facts)) {
    case "healthy":
      return markup`${state("ok", "Healthy")}${checked}`;
    case "checking":
      return state("run", "Checking");
    case "unchecked":
      return markup`${state("off", "Not checked")}`;
    case "unreachable":
      return markup`${state("bad", "Unreachable")}${checked}`;
    case "key_rejected":
      return markup`${state("bad", "Key refused")}${checked}`;
    case "failing":
      return markup`${state("warn", failing?.status === 429 ? "Rate limited" : "Failing")}<span class="sub">${
        failing?.status !== undefined && `${failing.status} `
      }since ${failing !== undefined && time(failing.since, "short", now)}</span>`;
  }
}

function keyCell({ upstream, check }: UpstreamFacts): Html {
  const preset = markup`<span class="sub">preset ${upstream.preset}</span>`;
  if (upstream.name === DEMO) return markup`needs none`;
  if (upstream.key === undefined) {
    return markup`${upstream.acceptsClientKey === true ? "No key; clients may send one" : "No key"}${preset}`;
  }
  switch (check?.key) {
    case "valid":
      return markup`Key valid${preset}`;
    case "rejected":
      return markup`Key refused<span class="sub">${check.error ?? ""}</span>`;
    case "not_set":
    case "unknown":
    case undefined:
      return markup`Key set${preset}`;
  }
}

const BUCKETS = 12;
/** Ends of the distribution in milliseconds; the scale is logarithmic. */
const [LEAST, MOST] = [100, 30_000];

/** Returns the place of a time in the distribution, from 0 to 1. */
function placeOf(ms: number): number {
  return Math.min(1, Math.max(0, Math.log(ms / LEAST) / Math.log(MOST / LEAST)));
}

function toBuckets(values: readonly number[]): number[] {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const value of values) {
    const at = Math.min(BUCKETS - 1, Math.floor(placeOf(Math.max(1, value)) * BUCKETS));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}
