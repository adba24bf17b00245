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
export function createCalibration({ models = 1000 }: { models?: number } = {}): Calibration {
  const known = new LruMap<string, Learned>(models);

  return {
    learn(model, { estimate, reported }) {
      const ratio = reported / estimate;
      if (estimate < FEWEST_TOKENS || !(ratio >= LEAST && ratio <= MOST)) return;
      const before = known.get(model);
      if (before === undefined) {
        known.set(model, { ratio, misses: [] });
        return;
      }
      before.misses.push(Math.abs(before.ratio / ratio - 1));
      const weight = Math.max(1 / (before.misses.length + 1), RECENT);
      before.ratio += (ratio - before.ratio) * weight;
      if (before.misses.length > REMEMBERED) before.misses.shift();
    },
    correct(model, estimate) {
      if (estimate < FEWEST_TOKENS) return undefined;
      const learned = known.get(model);
      if (learned === undefined || learned.misses.length < ENOUGH) return undefined;
      return { tokens: Math.ceil(estimate * learned.ratio), error: Math.max(...learned.misses) };
    },
  };
}

interface Learned {
  ratio: number;
  /** How far the ratio was off for each of the last answers, when they came. */
  misses: number[];
}

/** Below this the words weigh less than what every request costs, so that no ratio is learned or used. */
export const FEWEST_TOKENS = 200;
/** Ratios beyond these are no matter of vocabularies. */
const LEAST = 0.25;
const MOST = 4;
/** The least weight of a new answer, so that a model that changes behind its name is followed. */
const RECENT = 0.1;
const REMEMBERED = 20;
/** An error that was measured fewer times than this says nothing. */
const ENOUGH = 2;
