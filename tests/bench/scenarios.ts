import type { AnswerPlan } from "./answers.ts";
import type { RequestPlan } from "./requests.ts";
import type { UpstreamPlan } from "./upstream.ts";

/** A figure that is measured for a target. */
export type Metric =
  | "CPU a chunk"
  | "CPU a request"
  | "first event"
  | "longest block"
  | "memory a stream"
  | "cold start"
  | "idle memory";

/** Units of the metrics, and the digits that are printed. */
export const UNITS: Readonly<Record<Metric, { unit: string; digits: number }>> = {
  "CPU a chunk": { unit: "µs", digits: 1 },
  "CPU a request": { unit: "ms", digits: 2 },
  "first event": { unit: "ms", digits: 2 },
  "longest block": { unit: "ms", digits: 0 },
  "memory a stream": { unit: "kB", digits: 1 },
  "cold start": { unit: "ms", digits: 0 },
  "idle memory": { unit: "MB", digits: 0 },
};

/** The targets that the benchmark starts on each runtime. */
export type Baseline = "direct" | "pass_through" | "translator";

/** The target with which a figure of the gateway is compared, and the maximum. */
export type Goal =
  | { kind: "ratio"; to: Baseline; most: number }
  /** Ratio of the increases of two targets over the upstream's figure. */
  | { kind: "ratio added"; to: Baseline; most: number }
  | { kind: "difference"; to: Baseline; most: number }
  | { kind: "value"; most: number };

/** One figure of a scenario. Without a goal, its ratio to the translator is printed. */
export interface Figure {
  metric: Metric;
  goal?: Goal;
}

/** Requests that a target answers, and the figures that are measured. */
export interface Scenario {
  name: string;
  title: string;
  request: RequestPlan;
  upstream: UpstreamPlan;
  /** Number of clients. Each sends one request after the other. */
  clients: number;
  /** Requests of each client. */
  requests: number;
  figures: readonly Figure[];
}

/** Sizes of the scenarios: for figures, or for a check of the scenarios in little time. */
export type Size = "full" | "quick";

const STREAM = { stream: true };

/** A chunk each 20 ms is 50 tokens a second. More streams have fewer, so that the machine can send them. */
const GAPS_MS: readonly (readonly [streams: number, gapMs: number])[] = [[64, 20], [512, 100], [2000, 400]];

const text = (chunks: number): AnswerPlan => ({ kind: "text", chunks });
const SMALL: UpstreamPlan = { answer: text(8) };

const atMost = (most: number, to: Baseline = "translator"): Goal => ({ kind: "ratio", to, most });
const perChunk = (goal?: Goal): readonly Figure[] => [{ metric: "CPU a chunk", ...(goal && { goal }) }];
const perRequest = (goal?: Goal): readonly Figure[] => [{ metric: "CPU a request", ...(goal && { goal }) }];

/** Creates a scenario of streams of which every chunk arrives separately. */
function paced(streams: number, { chunks, goal, request = {} }: {
  chunks: number;
  goal?: Goal;
  request?: Partial<RequestPlan>;
}): Scenario {
  const gapMs = GAPS_MS.find(([most]) => streams <= most)?.[1] ?? 400;
  const { upstreamApi } = request;
  return {
    name: `${upstreamApi === undefined ? "alone" : "native"}_${streams}`,
    title: `every chunk alone, ${upstreamApi === undefined ? "" : "native, "}${toCount(streams)}`,
    request: { ...STREAM, ...request },
    upstream: { answer: text(chunks), gapMs },
    clients: streams,
    requests: 1,
    figures: perChunk(goal),
  };
}

/** Creates a scenario of streams that the upstream sends as fast as it can. */
function burst(streams: number, answer: AnswerPlan, about: Partial<Scenario> = {}): Scenario {
  return {
    name: `burst_${streams}`,
    title: `burst, ${toCount(streams)}`,
    request: STREAM,
    upstream: { answer },
    clients: streams,
    requests: 1,
    figures: perChunk(),
    ...about,
  };
}

function toCount(streams: number): string {
  return streams === 1 ? "1 stream" : `${streams} streams`;
}

function history(megabytes: number, requests: number, goal?: Goal): Scenario {
  return {
    name: `history_${megabytes}`,
    title: `history of ${megabytes} MB`,
    request: { ...STREAM, historyMB: megabytes },
    upstream: SMALL,
    clients: 1,
    requests,
    figures: perRequest(goal),
  };
}

function idle(streams: number, goal?: Goal): Scenario {
  return {
    name: `idle_${streams}`,
    title: `${streams} idle streams`,
    request: STREAM,
    upstream: { ...SMALL, holds: true },
    clients: streams,
    requests: 1,
    figures: [{ metric: "memory a stream", ...(goal && { goal }) }],
  };
}

/** Returns the scenarios of the table. */
export function tableScenarios(size: Size): Scenario[] {
  const full = size === "full";
  const [many, most] = full ? [64, 512] : [8, 16];
  const times = (count: number, quick: number) => full ? count : quick;
  return [
    paced(many, { chunks: times(100, 20), goal: atMost(1.25) }),
    paced(most, { chunks: times(20, 10), goal: atMost(1.25) }),
    paced(many, {
      chunks: times(100, 20),
      goal: atMost(1.25, "pass_through"),
      request: { upstreamApi: "messages" },
    }),
    burst(1, text(times(40_000, 2000)), { figures: perChunk(atMost(1.5)) }),
    burst(many, text(times(1000, 100)), { figures: perChunk(atMost(1.5)) }),
    burst(most, text(times(100, 50)), { figures: perChunk(atMost(1.5)) }),
    burst(8, { kind: "tool", chunks: times(4000, 100) }, {
      name: "tool",
      title: "arguments of a tool call, 8 streams",
      request: { ...STREAM, tool: true },
    }),
    burst(8, { kind: "thinking", chunks: times(4000, 100) }, {
      name: "thinking",
      title: "thinking, 8 streams",
    }),
    burst(8, { ...text(times(2000, 100)), cutBytes: 37 }, {
      name: "cut_37",
      title: "cut every 37 bytes, 8 streams",
    }),
    {
      name: "first_event",
      title: "first event, one client",
      request: STREAM,
      upstream: SMALL,
      clients: 1,
      requests: times(300, 20),
      figures: [{ metric: "first event", goal: { kind: "ratio added", to: "translator", most: 1.5 } }],
    },
    {
      name: "small",
      title: "32 connections, small answers",
      request: { stream: false },
      upstream: SMALL,
      clients: 32,
      requests: times(60, 4),
      figures: perRequest(atMost(1.5)),
    },
    history(0.2, times(40, 3)),
    history(2, times(10, 2), atMost(1.5)),
    {
      ...history(0, times(5, 1)),
      name: "images",
      title: "20 MB of images",
      request: { ...STREAM, imagesMB: 20 },
      figures: [...perRequest(atMost(1)), { metric: "longest block", goal: { kind: "value", most: 60 } }],
    },
    idle(times(1000, 100), atMost(1.5)),
    {
      ...history(0, 1),
      name: "start",
      title: "cold start to the first answer",
      figures: [
        { metric: "cold start", goal: atMost(2) },
        { metric: "idle memory", goal: { kind: "difference", to: "translator", most: 15 } },
      ],
    },
  ];
}

/** Returns scenarios of small requests after which the engine of a target has compiled the code of every request. */
export function compilingScenarios(): Scenario[] {
  const native: Partial<RequestPlan> = { upstreamApi: "messages" };
  return [{ stream: false }, STREAM, { ...STREAM, ...native }].map((request) => ({
    name: "compiling",
    title: "small requests",
    request,
    upstream: SMALL,
    clients: 32,
    requests: 500,
    figures: [],
  }));
}

/** Returns the scenarios that show how cost grows with the history and with the streams. */
export function growthScenarios(): Scenario[] {
  return [
    ...[0.02, 0.2, 2, 20].map((size) => history(size, Math.min(40, Math.ceil(10 / size)))),
    ...[1, 8, 64, 512, 2000].map((streams) => paced(streams, { chunks: streams > 64 ? 20 : 100 })),
    ...[100, 500, 1000, 2000].map((streams) => idle(streams)),
  ];
}
