import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeJson } from "../../../lib/base/encoding/encode_json.ts";
import { findPlainEnd } from "../../../lib/base/encoding/plain_run.ts";

const LONG = "aGk+/w==".repeat(20_000);

function encode(value: object): { json: string; copied: boolean } {
  const body = encodeJson(value);
  return typeof body === "string"
    ? { json: body, copied: false }
    : { json: new TextDecoder().decode(body), copied: true };
}

test("encodeJson() writes the same as JSON.stringify", () => {
  const url = `data:image/png;base64,${LONG}`;
  const odd = { a: undefined, b: [undefined, null], "ü\n": "“\ud83d”", c: new Date(0), d: Infinity };
  for (
    const [value, copied] of [
      [{ ...odd }, false],
      [{ ...odd, url, list: [url, "", odd, { url, ...odd }] }, true],
      [[url, undefined, url], true],
      [{ long: `${LONG}"`, url }, false],
      [{ long: `${LONG}ü`, url }, false],
      [{ long: `${LONG}😀`, url }, false],
      [{ long: `"${LONG}` }, false],
      [{ long: `${LONG}\\` }, false],
      [{ long: `${LONG}\u0000` }, false],
      [{ long: `"${LONG}`, url }, true],
    ] as const
  ) {
    assert.deepEqual(encode(value), { json: JSON.stringify(value), copied });
  }
});

test("encodeJson() visits a deep value no more often than a flat one", () => {
  const readsAt = (depth: number) => {
    let reads = 0;
    const bottom = {
      get n() {
        reads++;
        return 1;
      },
      data: LONG,
    };
    let value: object = bottom;
    for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { value };
    assert.deepEqual(encode(value), { json: JSON.stringify(value), copied: true });
    return reads;
  };
  assert.equal(readsAt(150), readsAt(0));
});

test("findPlainEnd() finds each byte that is not plain, at any position", () => {
  const isPlain = (byte: number) => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  for (let byte = 0; byte < 256; byte++) {
    for (let at = 0; at < 12; at++) {
      for (const other of [0x20, 0x21, 0x5b, 0x7e]) {
        for (let offset = 0; offset < 4; offset++) {
          const bytes = new Uint8Array(16).fill(other).subarray(offset);
          bytes[at] = byte;
          assert.equal(findPlainEnd(bytes, 0), isPlain(byte) ? bytes.length : at, `${byte} at ${at}`);
        }
      }
    }
  }
});
