/** Upper bounds of the times to a model's first event, in seconds: logarithmic, four for each doubling of ten. */
export const FIRST_EVENT_SECONDS: readonly number[] = [
  0.05,
  0.075,
  0.1,
  0.15,
  0.2,
  0.3,
  0.45,
  0.65,
  1,
  1.4,
  2,
  3,
  4.5,
  6.5,
  10,
  14,
  20,
  30,
  45,
  65,
  100,
  140,
  200,
  300,
];

/** Returns the number of the bucket of a value; that of values above the last bound is `bounds.length`. */
export function bucketOf(bounds: readonly number[], value: number): number {
  const at = bounds.findIndex((bound) => value <= bound);
  return at < 0 ? bounds.length : at;
}

/** Returns the sums of the counts of histograms with the same bounds. */
export function mergeCounts(histograms: Iterable<readonly number[]>, length: number): number[] {
  const merged = new Array<number>(length).fill(0);
  for (const counts of histograms) counts.forEach((count, at) => merged[at] = (merged[at] ?? 0) + count);
  return merged;
}

/**
 * Returns a percentile of a histogram; undefined if it is empty. Within a bucket the values are taken as evenly
 * distributed; above the last bound the result is that bound.
 *
 * @example Usage
 * ```ts
 * import { percentile } from "./histogram_counts.ts";
 *
 * if (percentile([0, 10, 0], 0.5, [1, 2]) !== 1.5) throw new Error("not the middle of the bucket");
 * ```
 */
export function percentile(
  counts: readonly number[],
  share: number,
  bounds: readonly number[],
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = share * total;
  let below = 0;
  for (const [at, count] of counts.entries()) {
    if (count > 0 && below + count >= rank) {
      const low = at === 0 ? 0 : bounds[at - 1] ?? 0;
      const high = bounds[at] ?? low;
      return low + (high - low) * (rank - below) / count;
    }
    below += count;
  }
  return bounds.at(-1);
}
