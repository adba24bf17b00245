import assert from "node:assert/strict";
import { test } from "node:test";
import { findJson } from "../../lib/json_schema/output/find_json.ts";

/** Texts of answers, and the pieces of them that are JSON. */
const TEXTS: [name: string, text: string, pieces: string[]][] = [
  ["JSON alone", ' {"a": 1}\n', ['{"a": 1}']],
  ["a scalar", "42", ["42"]],
  ["a code fence", 'Here:\n```json\n{"a":1}\n```\nDone.', ['{"a":1}']],
  ["two code fences", "```\n[1]\n```\nor\n```json\n[2]\n```", ["[1]", "[2]"]],
  ["an open code fence", '```json\n{"a":1}', ['{"a":1}']],
  ["text around it", 'Sure! {"a":"}{\\"","b":[1]} Anything else?', ['{"a":"}{\\"","b":[1]}']],
  ["several objects", '{"a":1}\n{"a":2}', ['{"a":1}', '{"a":2}']],
  ["a bracket in the text", 'See [here]: {"a":1}', ['{"a":1}']],
  ["only text", "I am sorry.", []],
  ["an object that is cut", '{"a":[1,', []],
  ["an object that is cut after a complete part", '{"a":[{"a":[]}', []],
  ["a list that is cut after a complete part", 'Here: [{"a":1},', []],
  ["brackets that do not fit", '{"a":[{"a":[]}}', []],
  ["an open bracket in the text", 'Say [sic or {: {"a":1}', ['{"a":1}']],
  ["nothing", "", []],
];

for (const [name, text, pieces] of TEXTS) {
  test(`findJson() of ${name}`, () => {
    assert.deepEqual(findJson(text).map((piece) => piece.text), pieces);
  });
}

test("findJson() ignores values that are nested deeper than a request may be", () => {
  assert.deepEqual(findJson("[".repeat(100_000) + "]".repeat(100_000)), []);
  assert.equal(findJson("[".repeat(200) + "]".repeat(200)).length, 1);
});
