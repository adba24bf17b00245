import type { JsonObject } from "./json.ts";

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
 * Returns the bound that a JSON text exceeds, or `undefined`. Takes linear time, and skips over strings, which are
 * nearly all of a usual text.
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
  /** Where a name was last, by its first and last character and its length. Most names of a text are few. */
  const places = new Int32Array(PLACES);
  let nameCost = 0;
  let depth = 0;
  let values = 1;
  let start = 0;
  let end = 0;
  /** Start of the last name that was counted. */
  let counted = -1;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        start = at;
        end = at = findStringEnd(json, at);
        continue;
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
        // In a text that is not valid, many colons may follow one long string.
        if (start === counted) break;
        counted = start;
        const place = (json.charCodeAt(start + 1) ^ json.charCodeAt(end - 1) ^ ((end - start) << 3)) % PLACES;
        if (isSame(json, places[place] ?? 0, { start, end })) break;
        places[place] = start;
        const name = json.slice(start + 1, end);
        if (names.has(name)) break;
        names.add(name);
        nameCost += costOf(name);
        if (nameCost > bounds.names) return "names";
        break;
      }
      default:
        continue;
    }
    if (values > bounds.values) return "values";
  }
  return undefined;
}

/**
 * Returns whether a JSON text may exceed the bounds, by a sample of it: then {@linkcode findExcess} must look at it
 * before it is parsed, because to parse it may take long. A parsed value is surveyed in less time than its text.
 *
 * `random` returns a number from 0 to less than 1 and chooses the places of the sample, so that no text can be made
 * that always passes. If one passes by chance, the survey of its value finds the excess.
 */
export function mayExceed(
  json: string,
  random: () => number,
  { values }: JsonBounds = JSON_BOUNDS,
): boolean {
  if (json.length <= SMALL_CHARS) return false;
  const stretch = json.length / SAMPLES;
  let marks = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const start = Math.floor((sample + random()) * (stretch - SAMPLE_CHARS / SAMPLES));
    for (let at = start; at < start + SAMPLE_CHARS; at++) {
      const code = json.charCodeAt(at);
      if (code === COMMA || code === OPEN_BRACE || code === OPEN_BRACKET) marks++;
    }
  }
  return (marks / (SAMPLES * SAMPLE_CHARS)) * json.length > values / 2;
}

/** Length up to which any text is parsed in a few milliseconds. */
const SMALL_CHARS = 64 * 1024;
const SAMPLES = 512;
const SAMPLE_CHARS = 16;

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

/** Returns for how many names a name counts. */
function costOf(name: string): number {
  return 1 + Math.floor(name.length / CHARS_PER_NAME);
}

const CHARS_PER_NAME = 100;

/** What a parsed JSON value shows. */
export interface JsonSurvey {
  /** The bound that the value exceeds. */
  readonly excess: keyof JsonBounds | undefined;
  /** False if a number is not finite, such as `1e999`. */
  readonly isFinite: boolean;
  /** False if a text or a name has a lone surrogate. */
  readonly isWellFormed: boolean;
}

/**
 * Surveys a parsed JSON value in one walk, which takes a third of the time of {@linkcode findExcess} with its text. The
 * bounds are the same, except that a member which the text has twice counts once, and a name by its characters, not by
 * their escapes. With an excess, the rest is not surveyed.
 *
 * @example Usage
 * ```ts
 * import { surveyJson } from "./json_bounds.ts";
 *
 * const { isFinite, isWellFormed } = surveyJson(JSON.parse('["\\ud83d",1e999]'));
 * if (isFinite || isWellFormed) throw new Error("not found");
 * ```
 */
export function surveyJson(value: unknown, bounds: JsonBounds = JSON_BOUNDS): JsonSurvey {
  const surveyor = new Surveyor(bounds);
  surveyor.visit(value, 0);
  return surveyor;
}

class Surveyor implements JsonSurvey {
  excess: keyof JsonBounds | undefined;
  isFinite = true;
  isWellFormed = true;
  readonly #bounds: JsonBounds;
  readonly #names = new Set<string>();
  #values = 1;
  #nameCost = 0;

  constructor(bounds: JsonBounds) {
    this.#bounds = bounds;
  }

  /** Visits a value inside of `depth` lists and objects. */
  visit(value: unknown, depth: number): void {
    if (typeof value === "string") {
      if (!value.isWellFormed()) this.isWellFormed = false;
    } else if (typeof value === "number") {
      if (!Number.isFinite(value)) this.isFinite = false;
    } else if (typeof value === "object" && value !== null) {
      if (depth === this.#bounds.depth) this.excess = "depth";
      else if (Array.isArray(value)) this.#visitItems(value, depth + 1);
      else this.#visitMembers(value as JsonObject, depth + 1);
    }
  }

  #visitItems(list: readonly unknown[], depth: number): void {
    this.#addValues(list.length);
    for (let at = 0; at < list.length && this.excess === undefined; at++) this.visit(list[at], depth);
  }

  #visitMembers(object: JsonObject, depth: number): void {
    let members = 0;
    for (const name in object) {
      members++;
      if (!this.#names.has(name)) this.#addName(name);
      this.visit(object[name], depth);
      if (this.excess !== undefined) return;
    }
    this.#addValues(members);
  }

  #addValues(count: number): void {
    this.#values += Math.max(count, 1);
    if (this.#values > this.#bounds.values) this.excess = "values";
  }

  #addName(name: string): void {
    this.#names.add(name);
    if (!name.isWellFormed()) this.isWellFormed = false;
    this.#nameCost += costOf(name);
    if (this.#nameCost > this.#bounds.names) this.excess = "names";
  }
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
