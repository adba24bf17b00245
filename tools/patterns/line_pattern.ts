import { RE2JS } from "re2js";
import { ToolError } from "../errors.ts";

/** A pattern to search with. */
export interface LinePattern {
  /** How much of a line is searched, in characters; for all of a text when a match may go over lines. */
  readonly maxChars: number;
  test(text: string): boolean;
  /** Whether so much has been done that others should have their turn; asking begins the count anew. */
  shouldPause(): boolean;
  /** The matches of a text, where they begin and end. */
  find(text: string): Generator<{ start: number; end: number }>;
}

/** The longest pattern that is taken, in characters, and in steps of its program. */
const PATTERN_LIMITS = { length: 2000, program: 20_000 };

/** The most of one line that is searched, and of one text. */
const MAX_SEARCHED_CHARS = { line: 256 * 1024, text: 1024 * 1024 };

/** How many steps of its program one look may take at the worst: about a third of a second for a line. */
const MAX_STEPS = { line: 10_000_000, text: 40_000_000 };

/**
 * Understands a pattern in the words of RE2, which knows no references back and no looks around. Matching takes
 * time in proportion to the text, whatever the pattern is; the reach bounds what one line can take.
 *
 * @throws {ToolError} if it cannot be understood.
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
  if (source.length > PATTERN_LIMITS.length) throw new ToolError("Cannot search: the pattern is too long");
  const flags = (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) | (multiline ? RE2JS.MULTILINE : 0);
  const regexp = compile(source, flags);
  const program = regexp.programSize();
  if (program > PATTERN_LIMITS.program) throw new ToolError("Cannot search: the pattern repeats too much");
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
      // Each look may go to the end of the text, though it takes only the next letter.
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
      }: ${reason}; patterns are RE2's, without references back or looks around`,
      { cause: error },
    );
  }
}
