import { RE2JS } from "re2js";
import { ToolError } from "../errors.ts";

/** A compiled search pattern. */
export interface LinePattern {
  /** Maximum number of characters searched in one line; in the whole text if matches may span lines. */
  readonly maxChars: number;
  test(text: string): boolean;
  /** Returns true, and resets the count of steps, if the caller should yield to other work. */
  shouldPause(): boolean;
  /** Yields the start and end of each match. */
  find(text: string): Generator<{ start: number; end: number }>;
}

/** Maximum length of a pattern in characters, and maximum size of its compiled program in instructions. */
const PATTERN_LIMITS = { length: 2000, program: 20_000 };

/** Maximum number of characters searched in one line, and in one text. */
const MAX_SEARCHED_CHARS = { line: 256 * 1024, text: 1024 * 1024 };

/** Maximum number of steps (characters × program size) of one search: about a third of a second for a line. */
const MAX_STEPS = { line: 10_000_000, text: 40_000_000 };

/**
 * Compiles a regular expression in RE2 syntax, which has no backreferences and no lookaround. Matching takes linear
 * time in the length of the text for every pattern. `maxChars` bounds the time of one search.
 *
 * @throws {ToolError} if the pattern is invalid, too long or too complex.
 *
 * @example Usage
 * ```ts
 * import { compilePattern } from "./line_pattern.ts";
 * import { equal } from "node:assert/strict";
 *
 * const pattern = compilePattern("(a+)+$", { ignoreCase: true, multiline: false });
 * equal(pattern.test("AAAA"), true);
 * equal(pattern.test("aaaab"), false);
 * ```
 */
export function compilePattern(
  source: string,
  { ignoreCase, multiline }: { ignoreCase: boolean; multiline: boolean },
): LinePattern {
  if (source.length > PATTERN_LIMITS.length) {
    throw new ToolError(`Cannot search: the pattern is longer than ${PATTERN_LIMITS.length} characters`);
  }
  const flags = (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) | (multiline ? RE2JS.MULTILINE : 0);
  const regexp = compile(source, flags);
  const program = regexp.programSize();
  if (program > PATTERN_LIMITS.program) {
    throw new ToolError("Cannot search: the pattern is too complex; use fewer repetitions");
  }
  const kind = multiline ? "text" : "line";
  let steps = 0;
  return {
    maxChars: Math.min(MAX_SEARCHED_CHARS[kind], Math.floor(MAX_STEPS[kind] / program)),
    test(text) {
      steps += (text.length + 1) * program;
      return regexp.test(text);
    },
    *find(text) {
      const matcher = regexp.matcher(text);
      let from = 0;
      // The worst case is counted: each search may scan to the end of the text, even for a short match.
      while (steps += (text.length - from + 1) * program, matcher.find()) {
        from = matcher.end();
        yield { start: matcher.start(), end: from };
      }
    },
    shouldPause() {
      if (steps < MAX_STEPS.line) return false;
      steps = 0;
      return true;
    },
  };
}

function compile(source: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(source, flags);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : "unknown";
    throw new ToolError(
      `Cannot search for ${
        JSON.stringify(source)
      }: ${reason}; patterns use RE2 syntax, without backreferences or lookaround`,
      { cause: error },
    );
  }
}
