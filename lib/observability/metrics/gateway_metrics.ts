import { NAME, VERSION } from "../../base/version.ts";
import { type Counters, countUnhandledErrors } from "../counters.ts";
import type { RequestRecord } from "../request_record.ts";
import { isExpected } from "../failure_kind.ts";
import { toLabel } from "../label.ts";
import { FIRST_EVENT_SECONDS } from "./histogram_counts.ts";
import {
  type Counter,
  createCounter,
  createHistogram,
  createReading,
  type Family,
  type Histogram,
  type Readings,
} from "./registry.ts";

/** Upper bounds of durations, in seconds: from a health check to an answer of an hour. */
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600];

/** Usage of one turn, as it is counted. */
export interface TurnCount {
  /** Upstream and model, `openrouter/openai/gpt-5`. */
  model: string;
  inputTokens: number;
  outputTokens: number;
  /** Cost in USD: reported, or else by list price; undefined if unknown. */
  usd: number | undefined;
}

/** Numbers of the gateway since its start, for `GET /metrics`. */
export interface GatewayMetrics {
  /** Counts a finished request. `route` is that of the table of routes, such as `POST /v1/messages`. */
  countRequest(record: RequestRecord, details: { route: string }): void;
  /** Counts a turn of a message, complete or not. */
  countTurn(turn: TurnCount): void;
  /** Counts a failed request to an upstream; `status` is the HTTP status that the client would receive. */
  countUpstreamError(upstream: string, status: number): void;
  countRetry(upstream: string): void;
  /** Counts a tool call and its duration in seconds. */
  countTool(tool: string, outcome: string, seconds: number): void;
  readonly openStreams: { count: number };
  /** Times to the first event by model; the bounds are `FIRST_EVENT_SECONDS`. */
  readonly firstEvents: Pick<Histogram, "series">;
  /** All families. */
  readonly families: readonly Family[];
  /** Adds a family whose values are read when the metrics are written. */
  add(family: Family): void;
}

/** Creates the metrics; all numbers are 0. */
export function createGatewayMetrics(counters: Counters): GatewayMetrics {
  const requests = counter("requests_total", "Finished requests", ["route", "status", "outcome"]);
  const failures = counter("failures_total", "Failed requests; refusals by limits are expected", [
    "kind",
    "expected",
  ]);
  const durations = histogram("request_duration_seconds", "Time to the end of the answer", ["route"]);
  const firstEvents = createHistogram(
    `${PREFIX}first_event_seconds`,
    "Time to the first event of a model's answer",
    { labels: ["model"], bounds: FIRST_EVENT_SECONDS },
  );
  const tokens = counter("tokens_total", "Tokens of turns; input includes cache writes, not cache reads", [
    "model",
    "kind",
  ]);
  const cost = counter("cost_usd_total", "Cost of turns in USD: reported, or else by list price", ["model"]);
  const unpriced = counter("unpriced_turns_total", "Turns whose cost is unknown", ["model"]);
  const upstreamErrors = counter("upstream_errors_total", "Failed requests to upstreams", [
    "upstream",
    "status",
  ]);
  const retries = counter("retries_total", "Requests sent to upstreams once more, unchanged", ["upstream"]);
  const remedies = counter("remedies_total", "Requests sent once more, changed after a refusal", ["change"]);
  const fallbacks = counter("fallbacks_total", "Models that failed before another one was asked", []);
  const tools = counter("tool_runs_total", "Tool calls that the gateway ran", ["tool", "outcome"]);
  const toolDurations = histogram("tool_duration_seconds", "Time of tool calls", ["tool"]);
  const losses = counter("losses_total", "Parts of requests that upstreams could not receive", ["action"]);
  const openStreams = { count: 0 };
  const families: Family[] = [
    createReading(
      { name: `${PREFIX}info`, help: "Version of the gateway", labels: ["version", "service"] },
      () => [[[VERSION, NAME], 1]],
    ),
    reading("start_time_seconds", "Start of the gateway, in seconds since 1970", () => [
      [[], counters.startedAt / 1000],
    ]),
    requests,
    failures,
    durations,
    firstEvents,
    reading("open_requests", "Requests that are being answered", () => [[[], counters.open]]),
    reading("open_streams", "Event streams that are being answered", () => [[[], openStreams.count]]),
    tokens,
    cost,
    unpriced,
    upstreamErrors,
    retries,
    remedies,
    fallbacks,
    tools,
    toolDurations,
    losses,
    createReading({
      name: `${PREFIX}unhandled_errors_total`,
      help: "Errors that no code handled; each is a bug",
      type: "counter",
    }, () => [[[], countUnhandledErrors()]]),
  ];

  return {
    openStreams,
    firstEvents,
    countRequest(record, { route }) {
      const { status, outcome, milliseconds, failure, firstEventMilliseconds, answeredBy, loss } = record;
      requests.add([route, String(status), outcome]);
      durations.observe([route], milliseconds / 1000);
      if (failure !== undefined) failures.add([failure, String(isExpected(failure))]);
      if (firstEventMilliseconds !== undefined && answeredBy !== undefined) {
        firstEvents.observe([toLabel(answeredBy)], firstEventMilliseconds / 1000);
      }
      // The first word of a change names its kind. What follows is chosen by an upstream.
      for (const change of record.remedies ?? []) remedies.add([change.split(" ")[0] ?? ""]);
      for (const entry of loss ?? []) losses.add([entry.slice(entry.lastIndexOf(" ") + 1)]);
      fallbacks.add([], record.fallbacks ?? 0);
      if (answeredBy !== undefined) {
        tokens.add([toLabel(answeredBy), "cache_read"], record.cachedTokens ?? 0);
      }
    },
    countTurn({ model, inputTokens, outputTokens, usd }) {
      const label = toLabel(model);
      tokens.add([label, "input"], inputTokens);
      tokens.add([label, "output"], outputTokens);
      if (usd === undefined) unpriced.add([label]);
      else cost.add([label], usd);
    },
    countUpstreamError(upstream, status) {
      upstreamErrors.add([upstream, String(status)]);
    },
    countRetry(upstream) {
      retries.add([upstream]);
    },
    countTool(tool, outcome, seconds) {
      const label = toLabel(tool);
      tools.add([label, outcome]);
      toolDurations.observe([label], seconds);
    },
    families,
    add(family) {
      families.push(family);
    },
  };
}

/** Start of the names of all families. */
export const PREFIX = "gateway_";

function counter(name: string, help: string, labels: readonly string[]): Counter {
  return createCounter(`${PREFIX}${name}`, help, labels);
}

function histogram(name: string, help: string, labels: readonly string[]) {
  return createHistogram(`${PREFIX}${name}`, help, { labels, bounds: SECONDS });
}

function reading(name: string, help: string, read: () => Readings): Family {
  return createReading({ name: `${PREFIX}${name}`, help }, read);
}
