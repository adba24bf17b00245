import type { CountTokensRequest } from "../anthropic/schema.ts";
import { LruMap } from "../base/lru.ts";
import { createCalibration } from "./calibration.ts";
import type { Clock } from "../runtime/clock.ts";
import { estimateTokens } from "./estimate.ts";
import { findFamily } from "./families.ts";
import { isRepresentative } from "./representative.ts";
import { countByLength, countByRuns } from "./text.ts";

/** Input tokens of a request. */
export interface InputCount {
  tokens: number;
  /** Bound of the relative error; `undefined` if the count is not calibrated. */
  error?: number;
}

/** Estimates the tokens of requests and answers, and calibrates the estimates by reported counts. */
export interface InputCounter {
  /** Estimates a request by its length. The cost is small enough for every message. */
  estimate(request: CountTokensRequest, route: UpstreamModel): number;
  /** Returns the best local estimate of a request. */
  count(request: CountTokensRequest, route: UpstreamModel): InputCount;
  /** Corrects tokens of an answer that were counted by runs of characters. */
  correctOutput(tokens: number, route: UpstreamModel): number;
  /**
   * Compares the estimates with the upstream's count: the one by length at once, the one by runs after a short delay,
   * when the answer has been sent.
   */
  learn(request: CountTokensRequest, route: UpstreamModel, reported: number): void;
}

/** A model of an upstream. Each is calibrated separately. */
export interface UpstreamModel {
  upstream: { name: string };
  model: string;
}

/** Creates a counter without calibration data. */
export function createInputCounter(clock: Clock): InputCounter {
  const byLength = createCalibration();
  const byRuns = createCalibration();
  /** Number of representative requests by model. */
  const samples = new LruMap<string, number>(MAX_MODELS);
  /** Estimates by length. A request is estimated at several of its stages. */
  const estimates = new WeakMap<CountTokensRequest, { model: string; tokens: number }>();
  const estimateByLength = (request: CountTokensRequest, model: string) => {
    const known = estimates.get(request);
    if (known?.model === model) return known.tokens;
    const tokens = estimateTokens({ ...request, model }, countByLength);
    estimates.set(request, { model, tokens });
    return tokens;
  };

  return {
    estimate(request, route) {
      const estimate = estimateByLength(request, route.model);
      return byLength.correct(modelKey(route), estimate)?.tokens ?? estimate;
    },
    count(request, route) {
      const tokens = estimateTokens({ ...request, model: route.model }, countByRuns);
      return byRuns.correct(modelKey(route), tokens) ?? { tokens };
    },
    correctOutput(tokens, route) {
      const scaled = Math.ceil(tokens * findFamily(route.model).scale);
      return byRuns.correct(modelKey(route), scaled)?.tokens ?? scaled;
    },
    learn(request, route, reported) {
      const estimate = estimateByLength(request, route.model);
      if (!isRepresentative(request, estimate)) return;
      const model = modelKey(route);
      byLength.learn(model, { estimate, reported });
      const nth = samples.get(model) ?? 0;
      samples.set(model, nth + 1);
      if (estimate > MAX_SAMPLED_TOKENS || (nth >= FIRST_SAMPLES && nth % SAMPLE_INTERVAL > 0)) return;
      clock.after(LEARN_DELAY_MS, () => {
        const tokens = estimateTokens({ ...request, model: route.model }, countByRuns);
        byRuns.learn(model, { estimate: tokens, reported });
      });
    },
  };
}

/** The first requests of a model all calibrate the estimate by runs, which takes longer than the one by length. */
const FIRST_SAMPLES = 20;
/** Of the later requests, one in ten calibrates it. */
const SAMPLE_INTERVAL = 10;

function modelKey({ upstream, model }: UpstreamModel): string {
  return `${upstream.name}/${model}`;
}

const MAX_MODELS = 1000;

/** Delay before the estimate by runs is calibrated, in milliseconds. The answer is sent first. */
const LEARN_DELAY_MS = 10;
/**
 * Maximum size, in tokens, of a request that calibrates the estimate by runs.
 *
 * This is about 1 MB of text, for which that estimate takes 5 ms. Larger ones calibrate only the estimate by length.
 */
const MAX_SAMPLED_TOKENS = 300_000;
