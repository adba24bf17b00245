/** The seed of all property tests, so that every run checks the same cases. */
export const SEED = 20261123;

/** Returns an integer from 0 up to, but not including, a limit. */
export type Random = (limit: number) => number;

/** Creates a source of numbers that are the same for the same seed (Marsaglia's xorshift). */
export function createRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
