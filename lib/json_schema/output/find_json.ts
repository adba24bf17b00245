import { findExcess } from "../../base/json_bounds.ts";

/** How many places of a text are tried as the start of a JSON value. */
const MAX_STARTS = 20;

/**
 * Lists the pieces of a text that may be one JSON value: the whole text, then the contents of code fences, then what
 * begins with a bracket and ends with the one that closes it.
 *
 * @example Usage
 * ```ts
 * import { findJson } from "./find_json.ts";
 *
 * const [piece] = findJson('Here it is: {"a": 1} Good luck!');
 * if (piece?.text !== '{"a": 1}') throw new Error("not found");
 * ```
 */
export function findJson(text: string): JsonPiece[] {
  const pieces = [text.trim(), ...fencedTexts(text), ...bracketedTexts(text)];
  return [...new Set(pieces)].flatMap((piece) => {
    if (findExcess(piece) !== undefined) return [];
    try {
      return [{ text: piece, value: JSON.parse(piece) as unknown }];
    } catch {
      return []; // most pieces are not JSON
    }
  });
}

/** A piece of a text that is JSON. */
export interface JsonPiece {
  text: string;
  value: unknown;
}

function fencedTexts(text: string): string[] {
  const parts = text.split(/^[ \t]*```.*$/m, 2 * MAX_STARTS);
  return parts.filter((_part, at) => at % 2 === 1).map((part) => part.trim());
}

function bracketedTexts(text: string): string[] {
  const found: string[] = [];
  let tried = 0;
  for (let at = 0; at < text.length && tried < MAX_STARTS; at++) {
    const char = text[at];
    if (char !== "{" && char !== "[") continue;
    tried++;
    const end = findEnd(text, at);
    // What is complete within a value that is cut or malformed is a part of the answer only.
    if (end === undefined && beginsValue(text, at)) break;
    if (end === undefined) continue;
    found.push(text.slice(at, end));
    at = end - 1;
  }
  return found;
}

/** Returns true if a bracket begins a value with members or items, rather than words in brackets. */
function beginsValue(text: string, at: number): boolean {
  return VALUE_START.test(text.slice(at, at + MAX_START_CHARS));
}

const VALUE_START = /^(?:\{\s*"(?:[^"\\]|\\.)*"\s*:|\[\s*(?:[{["]|(?:[-+.\deE]+|true|false|null)\s*,))/;
const MAX_START_CHARS = 1000;

/** Removes the white space of JSON. Other blanks, such as a byte order mark, are no part of a JSON text. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charAt(start))) start++;
  while (start < end && isBlank(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(char: string): boolean {
  return char === " " || char === "\n" || char === "\r" || char === "\t";
}

/** Returns the end of the JSON value that begins with a bracket. */
function findEnd(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (quoted) {
      if (char === "\\") at++;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth === 0) return at + 1;
  }
  return undefined;
}
