import { closestMatch } from "leven";

/** Other names of keys, which are too far from the known ones to be found by their letters. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([["streams", "concurrent"]]);

/** Characters of an unknown name that are compared: the time of the search grows with the length. */
const MAX_NAME_CHARS = 64;
const MAX_DISTANCE = 4;

/**
 * Returns the known name that an unknown one probably means, or undefined if none is near: at most half of the letters
 * differ, and at most four.
 *
 * @example Usage
 * ```ts
 * import { nearestName } from "./nearest.ts";
 *
 * if (nearestName("cacheControl", ["model", "cache_control"]) !== "cache_control") throw new Error("not found");
 * ```
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const synonym = SYNONYMS.get(name);
  if (synonym !== undefined && known.includes(synonym)) return synonym;
  const letters = name.slice(0, MAX_NAME_CHARS).replace(/^-+/, "").length;
  const maxDistance = Math.min(MAX_DISTANCE, Math.floor(letters / 2));
  return closestMatch(name.slice(0, MAX_NAME_CHARS), known, { maxDistance });
}

/** Returns the end of a message about an unknown name: the nearest known one, or all. */
export function nameHint(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? `; expected ${known.join(", ")}` : `; the nearest is ${nearest}`;
}
