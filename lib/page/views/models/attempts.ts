import type { SeenRequest } from "../../../observability/traffic/seen_request.ts";

/** Requests to an upstream or a model, failed ones included, of the requests that the gateway has seen. */
export interface Attempts {
  /** Requests sent, retries aside. */
  sent: number;
  failed: number;
  /** HTTP status of the last failure, and its time in milliseconds since 1970, if no later request succeeded. */
  failing: { status: number | undefined; since: number } | undefined;
  /** Times to the first event in milliseconds, of requests that no other model failed before. */
  firstEvents: number[];
  /** Output tokens per second after the first event, of each request. */
  speeds: number[];
}

/** Minimum time of an answer for which a speed is computed: most upstreams send short answers at once. */
const MIN_SPEED_MS = 500;

/**
 * Counts the attempts of requests since a time, by upstream and model: `openrouter/openai/gpt-5`. A request with
 * fallbacks has one attempt for each model.
 */
export function countAttempts(seen: readonly SeenRequest[], since: number): Map<string, Attempts> {
  const counted = new Map<string, Attempts>();
  const of = (name: string): Attempts => {
    const found = counted.get(name) ??
      { sent: 0, failed: 0, failing: undefined, firstEvents: [], speeds: [] };
    counted.set(name, found);
    return found;
  };
  // The oldest first: a success ends a failure before it.
  for (const request of [...seen].reverse()) {
    if (request.startedAt < since) continue;
    for (const { kind, name, from, outcome, status } of request.steps) {
      if (kind !== "turn" || outcome === undefined) continue;
      const attempts = of(name);
      attempts.sent++;
      if (outcome === "ok") attempts.failing = undefined;
      else {
        attempts.failed++;
        const since = attempts.failing?.since ?? request.startedAt + from;
        attempts.failing = { status, since };
      }
    }
    addTimes(request, of);
  }
  return counted;
}

function addTimes(request: SeenRequest, of: (name: string) => Attempts): void {
  const { answeredBy, startedAt, firstEventAt, endedAt, outputTokens, fallbacks } = request;
  if (answeredBy === undefined || firstEventAt === undefined || fallbacks > 0) return;
  const attempts = of(answeredBy);
  attempts.firstEvents.push(firstEventAt - startedAt);
  const ms = (endedAt ?? firstEventAt) - firstEventAt;
  if (ms >= MIN_SPEED_MS && outputTokens !== undefined && request.turns === 1) {
    attempts.speeds.push(outputTokens / ms * 1000);
  }
}

/** Returns the attempts of an upstream: those of its models together. */
export function attemptsOf(upstream: string, all: ReadonlyMap<string, Attempts>): Attempts {
  const parts = [...all].filter(([name]) => name.startsWith(`${upstream}/`)).map(([, attempts]) => attempts);
  const failing = parts.map(({ failing }) => failing).filter((one) => one !== undefined)
    .sort((one, other) => one.since - other.since)[0];
  return {
    sent: parts.reduce((sum, { sent }) => sum + sent, 0),
    failed: parts.reduce((sum, { failed }) => sum + failed, 0),
    failing,
    firstEvents: parts.flatMap(({ firstEvents }) => firstEvents),
    speeds: parts.flatMap(({ speeds }) => speeds),
  };
}

/**
 * Returns the value below which a share of the values is; undefined without values.
 *
 * @example Usage
 * ```ts
 * import { quantile } from "./attempts.ts";
 *
 * if (quantile([30, 10, 20], 0.5) !== 20) throw new Error("not the middle");
 * ```
 */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
