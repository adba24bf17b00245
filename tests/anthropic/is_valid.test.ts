import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { isValid } from "../../lib/anthropic/is_valid.ts";

test("isValid() delegates unknown kinds of schemas to v.is", () => {
  const Trimmed = v.pipe(v.string(), v.trim(), v.minLength(1));
  const Either = v.looseObject({ value: v.union([v.number(), v.fallback(v.string(), "none")]) });
  for (
    const [schema, input] of [[Trimmed, " "], [Trimmed, " a "], [Either, { value: true }], [
      Either,
      {},
    ]] as const
  ) {
    assert.equal(isValid<unknown>(schema, input), v.is(schema, input));
  }
});
