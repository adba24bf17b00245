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
  return surveyJson(json, bounds).excess;
}

/** What a JSON text shows before it is parsed. */
export interface JsonSurvey {
  /** The bound that the text exceeds. */
  readonly excess: keyof JsonBounds | undefined;
  /** False only if the text has no number that is parsed as infinite, such as `1e999`. */
  readonly mayHaveInfinite: boolean;
}

/** Finds what {@linkcode findExcess} does, and whether numbers may be infinite. A short text is not looked at. */
export function surveyJson(json: string, bounds: JsonBounds = JSON_BOUNDS): JsonSurvey {
  // Each level of a valid text takes two characters, each value and each name more than one.
  if (json.length <= Math.min(2 * bounds.depth, bounds.values, bounds.names)) return SHORT;
  const names = new Set<string>();
  /** Where a name was last, by its first and last character and its length. Most names of a text are few. */
  const places = new Int32Array(PLACES);
  let nameCost = 0;
  let depth = 0;
  let values = 1;
  let start = 0;
  let end = 0;
  /** Start of the last name that was counted. */
  let counted = -1;
  let hasExponent = false;
  /** Longest stretch between two marks, in which a number may be. */
  let stretch = 0;
  let lastMark = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        start = at;
        end = at = lastMark = findStringEnd(json, at);
        continue;
      case SMALL_E:
      case CAPITAL_E:
        hasExponent ||= isDigit(json.charCodeAt(at - 1));
        continue;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        values++;
        if (++depth > bounds.depth) return { excess: "depth", mayHaveInfinite: true };
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
        break;
      case COMMA:
        values++;
        break;
      case COLON: {
        // In a text that is not valid, many colons may follow one long string.
        if (start === counted) break;
        counted = start;
        const place = (json.charCodeAt(start + 1) ^ json.charCodeAt(end - 1) ^ ((end - start) << 3)) % PLACES;
        if (isSame(json, places[place] ?? 0, { start, end })) break;
        places[place] = start;
        const name = json.slice(start + 1, end);
        if (names.has(name)) break;
        names.add(name);
        nameCost += 1 + Math.floor(name.length / CHARS_PER_NAME);
        if (nameCost > bounds.names) return { excess: "names", mayHaveInfinite: true };
        break;
      }
      default:
        continue;
    }
    if (values > bounds.values) return { excess: "values", mayHaveInfinite: true };
    if (at - lastMark > stretch) stretch = at - lastMark;
    lastMark = at;
  }
  stretch = Math.max(stretch, json.length - lastMark);
  return { excess: undefined, mayHaveInfinite: hasExponent || stretch > MAX_NUMBER_CHARS };
}

const SHORT: JsonSurvey = { excess: undefined, mayHaveInfinite: true };

/** A number of at most this many characters is finite, unless it has an exponent. */
const MAX_NUMBER_CHARS = 300;

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Number of places at which names are remembered. */
const PLACES = 256;

/** True if the characters from `start` to `end`, the quotes of a name, are also at another place. */
function isSame(json: string, place: number, { start, end }: { start: number; end: number }): boolean {
  for (let at = start; at <= end; at++) {
    if (json.charCodeAt(place + at - start) !== json.charCodeAt(at)) return false;
  }
  return true;
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

const SMALL_E = 101;
const CAPITAL_E = 69;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
