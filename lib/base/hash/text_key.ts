import { sha256 } from "./sha256.ts";

/**
 * Maximum length of ids and names in a request, which are keys of maps as they are. Anthropic's own have at most 128
 * characters; some hosts keep data in the ids of their calls.
 */
export const MAX_KEY_CHARS = 10_000;

/** Longest text that V8 hashes as a whole; of a longer one it hashes the length alone. */
const MAX_HASHED_CHARS = 16_383;

/**
 * Returns a key for a text of any length, for a `Map` or `Set`. Different texts have different keys.
 *
 * In V8, all texts of one length above 16,383 characters have the same hash. A `Map` of such texts takes the square of
 * their number.
 *
 * Source: https://github.com/v8/v8/blob/main/src/objects/string.h, `kMaxHashCalcLength`
 *
 * @example Usage
 * ```ts
 * import { textKey } from "./text_key.ts";
 *
 * const texts = new Set(["a".repeat(20_000), "a".repeat(20_000)].map(textKey));
 * if (texts.size !== 1) throw new Error("equal texts have different keys");
 * ```
 */
export function textKey(text: string): string {
  // A short text cannot be the key of a long one, because that is longer.
  return text.length <= MAX_HASHED_CHARS - HASH_CHARS
    ? text
    : sha256(text) + text.slice(0, MAX_HASHED_CHARS - HASH_CHARS);
}

/** Length of a hash in hex. */
const HASH_CHARS = 64;
