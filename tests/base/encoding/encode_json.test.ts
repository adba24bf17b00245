import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeJson } from "../../../lib/base/encoding/encode_json.ts";
import { findPlainEnd } from "../../../lib/base/encoding/plain_run.ts";
import { headOf, isMarkedPlain, markPlain } from "../../../lib/base/encoding/plain_text.ts";

const LONG = "aGk+/w==".repeat(20_000);

/** Returns a copy of a value in which each member `data` is marked as plain. */
function mark(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(mark);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, mark(member)]));
  return typeof copy.data === "string" ? markPlain(copy as { data: string }, "data") : copy;
}

test("encodeJson() writes the same as JSON.stringify, whatever is marked", () => {
  const odd = { a: undefined, b: [undefined, null], "ü\n": "“\ud83d”", c: new Date(0), d: Infinity };
  for (
    const value of [
      { ...odd },
      { ...odd, data: LONG, list: [LONG, "", odd, { type: "base64", data: LONG, ...odd }] },
      [{ data: "A" }, undefined, { data: LONG, inner: { data: "B", list: [{ data: "C" }] } }],
      { inner: { data: "B" }, data: "A" },
      { text: '"gateway:plain_text:0"', data: LONG },
      { ["gateway:plain_text:0"]: 1, data: LONG },
      { data: "A", inner: { toJSON: () => JSON.stringify(markPlain({ data: "B" }, "data")) } },
      { text: "gateway:plain_text:7", list: [{ data: "A" }, { data: "B" }] },
    ]
  ) {
    const marked = mark(value) as object;
    assert.equal(encodeJson(marked), JSON.stringify(value));
    assert.equal(JSON.stringify(marked), JSON.stringify(value));
  }
});

test("encodeJson() does not read a marked text", () => {
  // Quotes are not plain: they show that the text is not escaped.
  const holder = markPlain({ type: "base64", data: 'a"b' }, "data");
  assert.equal(encodeJson({ holder }), '{"holder":{"type":"base64","data":"a"b"}}');
});

test("a mark does not outlive a change, and a copy of its object has none", () => {
  const holder = markPlain({ data: LONG, type: "base64" }, "data");
  assert.ok(isMarkedPlain(holder, "data"));
  assert.ok(!isMarkedPlain(holder, "type"));
  assert.deepEqual(Object.entries(holder), [["data", LONG], ["type", "base64"]]);
  assert.ok(!isMarkedPlain({ ...holder }, "data"));
  assert.equal(encodeJson([{ ...holder }]), JSON.stringify([{ data: LONG, type: "base64" }]));
  holder.data = 'say "hi"';
  assert.ok(!isMarkedPlain(holder, "data"));
  assert.equal(encodeJson([holder]), JSON.stringify([{ data: 'say "hi"', type: "base64" }]));
});

test("markPlain() leaves an object with a member toJSON or __proto__ as it is", () => {
  for (const json of ['{"data":"A","toJSON":1}', '{"data":"A","__proto__":{"b":1}}']) {
    const holder: { data: string } = JSON.parse(json);
    assert.equal(markPlain(holder, "data"), holder);
    assert.equal(encodeJson(holder), json);
  }
});

test("headOf() returns the beginning of a text, marked or not", () => {
  for (const head of [undefined, "", "aGk", LONG.slice(0, 1000)]) {
    const holder = markPlain({ data: LONG }, "data", head);
    for (const length of [0, 3, 1000, 1001, 200_000]) {
      assert.equal(headOf(holder, "data", length), LONG.slice(0, length));
      assert.equal(headOf({ data: LONG }, "data", length), LONG.slice(0, length));
    }
    assert.equal(headOf({ ...holder, data: "other" }, "data", 3), "oth");
  }
});

test("findPlainEnd() finds each byte that is not plain, at any position", () => {
  const isPlain = (byte: number) => byte >= 0x23 && byte < 0x80 && byte !== 0x5c;
  for (let byte = 0; byte < 256; byte++) {
    for (let at = 0; at < 28; at++) {
      for (const other of [0x23, 0x24, 0x5b, 0x7f]) {
        for (let offset = 0; offset < 4; offset++) {
          const bytes = new Uint8Array(32).fill(other).subarray(offset);
          bytes[at] = byte;
          assert.equal(findPlainEnd(bytes, 0), isPlain(byte) ? bytes.length : at, `${byte} at ${at}`);
        }
      }
    }
  }
});

test("findPlainEnd() reads few bytes, at any offset in their buffer", () => {
  const buffer = new Uint8Array(12).fill(0x41);
  for (let offset = 0; offset < 8; offset++) {
    for (let size = 0; size <= 4; size++) {
      const bytes = buffer.subarray(offset, offset + size);
      for (let start = 0; start <= size; start++) assert.equal(findPlainEnd(bytes, start), size);
    }
  }
});
