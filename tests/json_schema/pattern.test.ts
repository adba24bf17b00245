import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern } from "../../lib/json_schema/pattern.ts";

/** Patterns in JavaScript's syntax, with texts on which RE2's syntax could differ. */
const PATTERNS: [pattern: string, texts: string[]][] = [
  ["^(?!\\.)(?!.*\\.\\.)([\\w'+\\-.]*)[\\w+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$", [
    "ann@example.com",
    ".ann@example.com",
    "a..n@example.com",
    "ann",
  ]],
  ["^(?=.*[A-Z])(?=.*\\d).{4,}$", ["Ab1c", "ab1c", "A1", "ABCD"]],
  ["^(?![|)])[a|]$", ["a", "|"]],
  ["(?<=a)b", ["ab", "bb"]],
  ["(?<!a)b", ["ab", "b"]],
  ["(?<year>\\d{4})", ["2026", "26"]],
  ["^\\s$", [" ", "\u00a0", "\u2003", "\ufeff", "a", "\u180e"]],
  ["^\\S$", ["a", "\u00a0", " "]],
  ["^[\\s\\S]$", ["a", "\n", "\u2028", ""]],
  ["^[^]$", ["\n", "ab"]],
  ["[]", ["", "a"]],
  ["^.$", ["a", "\n", "\r", "\u2028", "🐝", "\0"]],
  ["^\\u{1F41D}$", ["🐝"]],
  ["^\\ud83d\\udc1d*$", ["🐝🐝", "🐝"]],
  ["^\\u00e9\\x41\\cJ$", ["éA\n"]],
  ["^\\p{Letter}+\\p{Nd}\\P{L}$", ["é漢1!", "1"]],
  ["^\\p{Script=Greek}$", ["α", "a"]],
  ["^[[:alpha:]$", [":", "a", "b", "["]],
  ["^[\\]a]$", ["]", "a", "\\"]],
  ["^a/b\\/c\\-d$", ["a/b/c-d"]],
  ["^[\\b]$", ["\b", "b"]],
  ["\\bcat\\b", ["a cat sat", "concat"]],
  ["a$", ["a", "a\n"]],
  ["^[.]$", [".", "a"]],
  ["^\\d{1,3}(\\.\\d+)*$", ["1.2.3", "1..2"]],
  ["^(?:[a-z{1000}]{1,20}-){0,9}\\{9\\}.{0,999}$", ["ab-{9}", "{9}", "{99"]],
];

for (const [source, texts] of PATTERNS) {
  test(`compilePattern() of ${source} matches as JavaScript does`, () => {
    const script = toRegExp(source);
    const pattern = compilePattern(source);
    for (const text of texts) assert.equal(pattern.test(text), script.test(text), JSON.stringify(text));
  });
}

/** Patterns that cannot be matched in linear time, or are too large. */
const UNSUPPORTED = [
  "(a)\\1",
  "(?<a>x)\\k<a>",
  "^(?!a)b|c",
  "^(?:(?!a)b)?c",
  "a(?=b)",
  "(",
  "a{1001}",
  "x".repeat(2001),
  "a{999}".repeat(30),
  "(?:a{31}b{31}){32}[c{999}]".repeat(20),
  `[${"\\p{L}".repeat(200)}]`,
  "(?i)" + "[B-\\u{1e900}]".repeat(20),
  `[${"\\S".repeat(990)}]`,
];

for (const source of UNSUPPORTED) {
  test(`compilePattern() rejects ${source.slice(0, 20)}`, () => {
    assert.throws(() => compilePattern(source), SyntaxError);
  });
}

/** Compiles a pattern with the flag `u`, as JSON Schema requires, or without it if it is only valid so. */
function toRegExp(source: string): RegExp {
  try {
    return new RegExp(source, "u");
  } catch {
    return new RegExp(source);
  }
}
