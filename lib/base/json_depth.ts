/**
 * Returns true if JSON is nested deeper than `limit` levels.
 *
 * Code that walks or writes JSON does so on the stack. Strings, which are nearly all of a body, are skipped.
 *
 * @example Usage
 * ```ts
 * import { isDeeperThan } from "./json_depth.ts";
 *
 * if (!isDeeperThan('[["a"]]', 1) || isDeeperThan('["[["]', 1)) throw new Error("wrong depth");
 * ```
 */
export function isDeeperThan(json: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) at = findStringEnd(json, at);
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
    if (depth > limit) return true;
  }
  return false;
}

/** Returns the index of the closing quote of the string that opens at `start`, or the length of the text. */
function findStringEnd(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let before = end - 1;
    while (json.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return json.length;
}

const QUOTE = 34;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
