import type { CountTokensRequest } from "../anthropic/schema.ts";
import { createCalibration } from "./calibration.ts";
import type { Clock } from "../runtime/clock.ts";
import { estimateTokens } from "./estimate.ts";
import { isRepresentative } from "./telling.ts";
import { countByLength, countByRuns } from "./text.ts";

/** How many tokens a request is. */
export interface InputCount {
  tokens: number;
  /** How far that may be off, as a share; missing where no answers have taught it. */
  error?: number;
}

/** Estimates requests, and learns from what upstreams report of them. */
export interface InputCounter {
  /** Estimates a request by its length, at next to no cost: for the way of a message. */
  estimate(request: CountTokensRequest, route: UpstreamModel): number;
  /** Estimates a request as well as can be told here. */
  count(request: CountTokensRequest, route: UpstreamModel): InputCount;
  /** Compares both estimates with what the upstream reported, a moment later: when the answer has gone out. */
  learn(request: CountTokensRequest, route: UpstreamModel, reported: number): void;
}

/** The model of an upstream: each has habits of its own in counting. */
export interface UpstreamModel {
  upstream: { name: string };
  model: string;
}

/** Creates a counter that has learned nothing yet. */
export function createInputCounter(clock: Clock): InputCounter {
  const byLength = createCalibration();
  const byRuns = createCalibration();

  return {
    estimate(request, route) {
      const estimate = estimateTokens({ ...request, model: route.model }, countByLength);
      return byLength.correct(modelKey(route), estimate)?.tokens ?? estimate;
    },
    count(request, route) {
      const tokens = estimateTokens({ ...request, model: route.model }, countByRuns);
      return byRuns.correct(modelKey(route), tokens) ?? { tokens };
    },
    learn(request, route, reported) {
      const upstreamRequest = { ...request, model: route.model };
      const estimate = estimateTokens(upstreamRequest, countByLength);
      if (!isRepresentative(upstreamRequest, estimate)) return;
      clock.after(LEARN_DELAY_MS, () => {
        byLength.learn(modelKey(route), { estimate, reported });
        if (estimate > MAX_SAMPLED_TOKENS) return;
        byRuns.learn(modelKey(route), { estimate: estimateTokens(upstreamRequest, countByRuns), reported });
      });
    },
  };
}

function modelKey({ upstream, model }: UpstreamModel): string {
  return `${upstream.name}/${model}`;
}

/** Milliseconds until an answer that has been written is on its way. */
const LEARN_DELAY_MS = 10;
/** About a megabyte of text, for which the better estimate takes 5 ms; larger requests teach only the other. */
const MAX_SAMPLED_TOKENS = 300_000;
