import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { memberText, pickText } from "../../lib/json_schema/output/pick_text.ts";

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

test("pickText() returns the same text if nothing was removed, with any indent", () => {
  fc.assert(fc.property(json, fc.integer({ min: 0, max: 3 }), (value, indent) => {
    const compact = JSON.stringify(value);
    assert.equal(pickText(JSON.stringify(value, null, indent), value), compact);
    assert.equal(memberText(JSON.stringify({ value }, null, indent), { value }), compact);
  }));
});

const PICKED: [text: string, kept: unknown, expected: string][] = [
  ['{"id": 12345678901234567890, "x": null}', { id: 1 }, '{"id":12345678901234567890}'],
  ['[{"a": 1e400, "b": [null]}, {"b": null}]', [{ a: 1 }, {}], '[{"a":1e400},{}]'],
  ['{"a": {"b": null, "c": 0.10}}', { a: { c: 0.1 } }, '{"a":{"c":0.10}}'],
  ['{"a": null, "a": "\\"}\\\\"}', { a: '"}\\' }, '{"a":"\\"}\\\\"}'],
  [" { } ", {}, "{}"],
];

for (const [text, kept, expected] of PICKED) {
  test(`pickText() picks ${expected} from ${text}`, () => assert.equal(pickText(text, kept), expected));
}

test("pickText() picks a text of 8 MiB", () => {
  const value = { note: null, text: '\\"'.repeat(4 * 1024 * 1024) };
  assert.equal(pickText(JSON.stringify(value), { text: value.text }), JSON.stringify({ text: value.text }));
});
