/** Gives numbers from 0 up to, but not including, a limit. */
export type Random = (limit: number) => number;

/** Creates a source of numbers that are the same for the same seed. The method is Marsaglia's xorshift. */
export function createRandom(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** Picks places to cut so many bytes at, in order: few or many, sometimes next to each other. */
export function pickCuts(random: Random, size: number): number[] {
  const pieces = 1 + random(Math.min(size, 2 ** (1 + random(8))));
  return Array.from({ length: pieces }, () => random(size + 1)).sort((a, b) => a - b);
}

/** Cuts after every single byte. */
export function everyByte(size: number): number[] {
  return Array.from({ length: size }, (_, at) => at + 1);
}
