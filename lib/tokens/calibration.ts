import { LruMap } from "../base/lru.ts";

/** Token count of a request as estimated, and as the upstream reported it. */
export interface Sample {
  estimate: number;
  reported: number;
}

/** A corrected estimate. */
export interface Correction {
  tokens: number;
  /** Largest relative error of recent corrected estimates, such as 0.05 for 5 %. */
  error: number;
}

/** Corrects estimates by the counts that upstreams reported for the same model. */
export interface Calibration {
  /** Records one sample of a model. Ignores small samples and implausible ratios: such reports count something else. */
  learn(model: string, sample: Sample): void;
  /** Corrects an estimate. Returns `undefined` if the estimate is small, or the model has too few samples. */
  correct(model: string, estimate: number): Correction | undefined;
}

/**
 * Creates an empty calibration for at most `maxModels` models. Beyond that, the least recently used model is dropped.
 *
 * The ratio of a model is a running average that gives recent samples more weight. Its error is measured: each sample
 * is predicted with the ratio before it. The bound is the largest error of the last 20 samples.
 *
 * @example Usage
 * ```ts
 * import { createCalibration } from "./calibration.ts";
 *
 * const calibration = createCalibration();
 * for (const reported of [1100, 2210, 3300]) calibration.learn("m", { estimate: reported / 1.1, reported });
 * if (calibration.correct("m", 1000)?.tokens !== 1100) throw new Error("the estimate is a tenth too low");
 * ```
 */
export function createCalibration({ maxModels = 1000 }: { maxModels?: number } = {}): Calibration {
  const ratios = new LruMap<string, ModelRatio>(maxModels);

  return {
    learn(model, { estimate, reported }) {
      const ratio = reported / estimate;
      if (estimate < MIN_CALIBRATED_TOKENS || !(ratio >= MIN_RATIO && ratio <= MAX_RATIO)) return;
      const entry = ratios.get(model);
      if (entry === undefined) {
        ratios.set(model, { ratio, misses: [] });
        return;
      }
      entry.misses.push(Math.abs(entry.ratio / ratio - 1));
      const weight = Math.max(1 / (entry.misses.length + 1), MIN_SAMPLE_WEIGHT);
      entry.ratio += (ratio - entry.ratio) * weight;
      if (entry.misses.length > MAX_MISSES) entry.misses.shift();
    },
    correct(model, estimate) {
      if (estimate < MIN_CALIBRATED_TOKENS) return undefined;
      const entry = ratios.get(model);
      if (entry === undefined || entry.misses.length < MIN_MISSES) return undefined;
      return { tokens: Math.ceil(estimate * entry.ratio), error: Math.max(...entry.misses) };
    },
  };
}

interface ModelRatio {
  ratio: number;
  /** Relative errors of the ratio for the last samples, each measured before the ratio was updated. */
  misses: number[];
}

/** Smallest estimate, in tokens, that is learned or corrected. Below it, fixed costs of a request outweigh its text. */
export const MIN_CALIBRATED_TOKENS = 200;
/** Bounds of a plausible ratio. Differences between vocabularies do not exceed them. */
const MIN_RATIO = 0.25;
const MAX_RATIO = 4;
/** Minimum weight of a new sample. The ratio thus follows a model that changes under the same name. */
const MIN_SAMPLE_WEIGHT = 0.1;
const MAX_MISSES = 20;
/** Minimum number of measured errors for a correction. */
const MIN_MISSES = 2;
