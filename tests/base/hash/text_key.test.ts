import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textKey } from "../../../lib/base/hash/text_key.ts";

test("textKey() returns different keys for different texts, which V8 hashes completely", () => {
  const lengths = fc.constantFrom(1, 16_318, 16_319, 16_320, 16_383, 16_384, 20_000);
  const text = fc.tuple(lengths, fc.string({ maxLength: 2 })).map(([length, end]) =>
    "x".repeat(length) + end
  );
  fc.assert(fc.property(text, text, (one, other) => {
    assert.equal(textKey(one) === textKey(other), one === other);
    assert.ok(textKey(one).length <= 16_383);
    assert.notEqual(textKey(textKey(one)), textKey(`${one}x`));
  }));
});
