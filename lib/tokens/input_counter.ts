import type { CountTokensRequest } from "../anthropic/schema.ts";
import { createCalibration } from "./calibration.ts";
import type { Clock } from "../runtime/clock.ts";
import { estimateTokens } from "./estimate.ts";
import { isTelling } from "./telling.ts";
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
  guess(request: CountTokensRequest, route: ModelOfUpstream): number;
  /** Estimates a request as well as can be told here. */
  count(request: CountTokensRequest, route: ModelOfUpstream): InputCount;
  /** Compares both estimates with what the upstream reported, a moment later: when the answer has gone out. */
  learn(request: CountTokensRequest, route: ModelOfUpstream, reported: number): void;
}

/** The model of an upstream: each has habits of its own in counting. */
export interface ModelOfUpstream {
  upstream: { name: string };
  model: string;
}

/** Creates a counter that has learned nothing yet. */
export function createInputCounter(clock: Clock): InputCounter {
  const byLength = createCalibration();
  const byRuns = createCalibration();

  return {
    guess(request, route) {
      const estimate = estimateTokens({ ...request, model: route.model }, countByLength);
      return byLength.correct(toName(route), estimate)?.tokens ?? estimate;
    },
    count(request, route) {
      const tokens = estimateTokens({ ...request, model: route.model }, countByRuns);
      return byRuns.correct(toName(route), tokens) ?? { tokens };
    },
    learn(request, route, reported) {
      const known = { ...request, model: route.model };
      const estimate = estimateTokens(known, countByLength);
      if (!isTelling(known, estimate)) return;
      clock.after(LATER, () => {
        byLength.learn(toName(route), { estimate, reported });
        if (estimate > LARGE) return;
        byRuns.learn(toName(route), { estimate: estimateTokens(known, countByRuns), reported });
      });
    },
  };
}

function toName({ upstream, model }: ModelOfUpstream): string {
  return `${upstream.name}/${model}`;
}

/** Milliseconds until an answer that has been written is on its way. */
const LATER = 10;
/** About a megabyte of text, for which the better estimate takes 5 ms; larger requests teach only the other. */
const LARGE = 300_000;
