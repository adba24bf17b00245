/** Bounds of a JSON text. */
export interface JsonBounds {
  /** Maximum nesting. Functions that walk or serialize a value are recursive and use the stack. */
  depth: number;
  /** Maximum number of values. An empty list or object counts twice. */
  values: number;
  /**
   * Maximum number of different member names; a long name counts once more for each 100 characters. Engines keep each
   * name, and a hidden class for each order of names. They find long names slowly; see `text_key.ts`.
   */
  names: number;
}

/**
 * Bounds of every JSON text that a client or an upstream sends. Work on such a text takes
 * less than 0.5 s.
 */
export const JSON_BOUNDS: JsonBounds = { depth: 200, values: 250_000, names: 20_000 };

/**
 * Returns the bound that a JSON text exceeds, or `undefined`. Takes linear time, and skips over strings, which are nearly
 * all of a usual text.
 *
 * @example Usage
 * ```ts
 * import { findExcess } from "./json_bounds.ts";
 *
 * if (findExcess("[[[1]]]", { depth: 2, values: 9, names: 9 }) !== "depth") throw new Error("not found");
 * ```
 */
export function findExcess(json: string, bounds: JsonBounds = JSON_BOUNDS): keyof JsonBounds | undefined {
  // Each level of a valid text takes two characters, each value and each name more than one.
  if (json.length <= Math.min(2 * bounds.depth, bounds.values, bounds.names)) return undefined;
  const names = new Set<string>();
  let nameCost = 0;
  let depth = 0;
  let values = 1;
  let start = 0;
  let end = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        start = at;
        end = at = findStringEnd(json, at);
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        values++;
        if (++depth > bounds.depth) return "depth";
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
        break;
      case COMMA:
        values++;
        break;
      case COLON: {
        const name = json.slice(start + 1, end);
        if (names.has(name)) break;
        names.add(name);
        nameCost += 1 + Math.floor(name.length / CHARS_PER_NAME);
        if (nameCost > bounds.names) return "names";
      }
    }
    if (values > bounds.values) return "values";
  }
  return undefined;
}

/** Returns the index of the closing quote of the string that opens at `start`, or the length of the text. */
export function findStringEnd(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let before = end - 1;
    while (json.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return json.length;
}

const CHARS_PER_NAME = 100;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
