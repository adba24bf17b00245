import { RE2JS } from "re2js";
import { ToolError } from "../errors.ts";

/** Maximum length of a pattern. */
const MAX_PATTERN_CHARS = 1000;

/**
 * Compiles a glob pattern of paths. `*` and `?` match within one name, `**` matches any number of folders, `[a-z]`
 * matches one character, `{a,b}` matches either alternative. A pattern without a slash matches names at any depth.
 * Matching takes linear time in the length of the path for every pattern: the pattern becomes an RE2 expression, and
 * its braces become alternatives of that.
 *
 * @throws {ToolError} if the pattern is too long or malformed.
 *
 * @example Usage
 * ```ts
 * import { compileGlob } from "./glob_pattern.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const matches = compileGlob("lib/**\/*.{ts,js}");
 * deepEqual(["lib/a.ts", "lib/a/b.js", "lib/a.md", "a.ts"].map(matches), [true, true, false, false]);
 * ```
 */
export function compileGlob(pattern: string): (path: string) => boolean {
  if (pattern.length > MAX_PATTERN_CHARS) {
    throw new ToolError(`Cannot use the pattern: it is longer than ${MAX_PATTERN_CHARS} characters`);
  }
  const compiled = compileSources([globToRegExpSource(pattern)]);
  if (compiled !== undefined) return compiled;
  throw new ToolError(`Cannot use pattern ${JSON.stringify(pattern)}: it is malformed`);
}

/**
 * Compiles `.gitignore` patterns, in which braces are literal. The result is true for a path that matches any of them.
 * Patterns that are malformed or too long are skipped.
 */
export function compileIgnoreRules(patterns: readonly string[]): (path: string) => boolean {
  const sources = patterns.filter((pattern) => pattern.length <= MAX_PATTERN_CHARS)
    .map((pattern) =>
      globToRegExpSource(
        pattern.replace(/\\[\s\S]|[{}]/g, (token) => token.length > 1 ? token : `\\${token}`),
      )
    )
    .filter((source) => compileSources([source]) !== undefined);
  return compileSources(sources) ?? (() => false);
}

function compileSources(sources: readonly string[]): ((path: string) => boolean) | undefined {
  if (sources.length === 0) return undefined;
  try {
    const regexp = RE2JS.compile(`^(?:${sources.join("|")})$`, RE2JS.DOTALL);
    return (path) => regexp.test(path);
  } catch {
    return undefined;
  }
}

/** Splits a pattern into the folder that contains all matches, and the rest of the pattern. */
export function splitGlob(pattern: string): { folder: string; rest: string } {
  const names = pattern.split("/");
  const first = names.findIndex((name) => /[*?[\]{}\\]/.test(name));
  const fixed = first === -1 ? names.length - 1 : first;
  return { folder: names.slice(0, fixed).join("/"), rest: names.slice(fixed).join("/") };
}

function globToRegExpSource(pattern: string): string {
  const anchored = pattern.replace(/^(\.?\/)+/, "");
  const anywhere = anchored === pattern && !pattern.includes("/");
  const glob = (anywhere ? `**/${anchored}` : anchored).replace(/\/+$/, "/**");
  const isWholeName = (index: number) =>
    /[/{,]/.test(glob[index - 1] ?? "/") && /[,}]/.test(glob[index + 2] ?? ",");
  const closed = glob.split("}").length - 1;
  let depth = 0;
  let opened = 0;
  return Array.from(glob.matchAll(TOKENS), ({ 0: token, index }) => {
    // A brace that is never closed is literal.
    if (token === "{" && opened < closed) {
      depth += 1;
      opened += 1;
      return "(?:";
    }
    if (token === "}" && depth > 0) {
      depth -= 1;
      return ")";
    }
    if (token === "," && depth > 0) return "|";
    if (token === "**" && isWholeName(index)) return ".*";
    return tokenToRegExp(token);
  }).join("") + ")".repeat(depth);
}

/** Tokens of a pattern: two stars as a whole name, other stars, character classes, escapes, single characters. */
const TOKENS =
  /(?<![^/{,])\*\*\/|\/\*\*$|(?<![^/{,])\*\*(?![^,}])|\*+|\\[\s\S]|\[[!^]?\]?(?:\\[\s\S]|[^\]\\/])*\]|[\s\S]/gu;

function tokenToRegExp(token: string): string {
  if (token === "**/") return "(?:[^/]+/)*";
  if (token === "/**") return "/.+";
  if (token.startsWith("*")) return "[^/]*";
  if (token === "?") return "[^/]";
  if (token.startsWith("[") && token.length > 2) return toCharacterClass(token.slice(1, -1));
  return RE2JS.quote(token.startsWith("\\") ? token.slice(1) : token);
}

function toCharacterClass(inside: string): string {
  const isNegated = /^[!^]/.test(inside);
  const characters = inside.slice(isNegated ? 1 : 0).replace(
    /\\([\s\S])|[[\]^]/gu,
    (letter, escaped = letter) => {
      return /[\w\s]/.test(escaped) ? escaped : `\\${escaped}`;
    },
  );
  return isNegated ? `[^/${characters}]` : `[${characters}]`;
}
