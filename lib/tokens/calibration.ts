import { LruMap } from "../base/lru.ts";

/** What an upstream reported of a request, and what had been estimated of it. */
export interface Sample {
  estimate: number;
  reported: number;
}

/** An estimate put right. */
export interface Correction {
  tokens: number;
  /** The largest share by which recent estimates, put right in the same way, still missed what was reported. */
  error: number;
}

/** What the answers of upstreams have taught about the estimates of their models. */
export interface Calibration {
  /** Takes note of one answer of a model. Reports far from the estimate are left out: they count something else. */
  learn(model: string, sample: Sample): void;
  /** Puts an estimate right, or gives `undefined` where too little is known of the model. */
  correct(model: string, estimate: number): Correction | undefined;
}

/**
 * Creates a calibration that knows nothing yet, and never remembers more than so many models.
 *
 * The ratio of a model is a running average in which recent answers weigh more. Its error is measured, not assumed:
 * each answer is predicted by the ratio as it was before, and the largest miss of the last twenty is the bound.
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
  /** How far the ratio was off for each of the last answers, when they came. */
  misses: number[];
}

/** Below this the words weigh less than what every request costs, so that no ratio is learned or used. */
export const MIN_CALIBRATED_TOKENS = 200;
/** Ratios beyond these are no matter of vocabularies. */
const MIN_RATIO = 0.25;
const MAX_RATIO = 4;
/** The least weight of a new answer, so that a model that changes behind its name is followed. */
const MIN_SAMPLE_WEIGHT = 0.1;
const MAX_MISSES = 20;
/** An error that was measured fewer times than this says nothing. */
const MIN_MISSES = 2;
