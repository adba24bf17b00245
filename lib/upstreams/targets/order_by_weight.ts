import { fnv } from "../../base/hash/fnv.ts";

/** A target that receives a share of an alias's requests. */
export interface Weighted {
  /** Its name, unique within the alias. */
  key: string;
  /** Its share, relative to those of the other targets. */
  weight: number;
}

/**
 * Orders targets for a request by weighted rendezvous hashing: over many seeds, each target is first as often as its
 * weight says, and the order for one seed changes only by the targets that are added or removed. All gateways with the
 * same settings find the same order.
 *
 * Source: https://en.wikipedia.org/wiki/Rendezvous_hashing#Weighted_rendezvous_hashing
 *
 * @example Usage
 * ```ts
 * import { orderByWeight } from "./order_by_weight.ts";
 *
 * const targets = [{ key: "a/x", weight: 1 }, { key: "b/x", weight: 1000 }];
 * if (orderByWeight(targets, "session-1")[0]?.key !== "b/x") throw new Error("expected the heavier one");
 * ```
 */
export function orderByWeight<Target extends Weighted>(targets: readonly Target[], seed: string): Target[] {
  if (targets.length < 2) return [...targets];
  return targets
    .map((target) => ({ target, score: -Math.log(unitHash(`${target.key}\n${seed}`)) / target.weight }))
    .sort((a, b) => a.score - b.score)
    .map(({ target }) => target);
}

/** Returns a hash between 0 and 1, both excluded. */
function unitHash(text: string): number {
  // The final steps of MurmurHash3: texts that differ in their last character have unrelated hashes.
  let hash = fnv(text);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (((hash ^ (hash >>> 16)) >>> 0) + 0.5) / 2 ** 32;
}
