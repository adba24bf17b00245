import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import * as v from "valibot";
import { isValid } from "../lib/anthropic/is_valid.ts";
import { MessagesRequest } from "../lib/anthropic/schema.ts";
import { isObject } from "../lib/base/json.ts";

const FIXTURES = new URL("./fixtures/", import.meta.url);
const ODD_VALUES = [
  undefined,
  null,
  0,
  -1,
  1.5,
  NaN,
  "",
  "text",
  true,
  [],
  [null],
  new Array(2),
  {},
  { type: "text" },
  { type: 1 },
  Object.create({ type: "text", text: "inherited" }),
];

test("isValid() decides as v.is does on every fixture, with each of its values replaced by others", () => {
  let [valid, invalid] = [0, 0];
  for (const request of readRequests()) {
    for (const changed of variants(request)) {
      const expected = v.is(MessagesRequest, changed);
      if (isValid(MessagesRequest, changed) !== expected) assert.fail(JSON.stringify(changed));
      if (expected) valid++;
      else invalid++;
    }
  }
  assert.ok(valid > 1000 && invalid > 1000, `${valid} valid, ${invalid} invalid`);
});

/** Yields the shorter requests of the fixtures: each has a variant for each of its values. */
function* readRequests(): Generator<unknown> {
  for (const name of readdirSync(FIXTURES)) {
    const path = new URL(`${name}/request.json`, FIXTURES);
    if (!existsSync(path)) continue;
    const text = readFileSync(path, "utf8");
    if (text.length < MAX_CHARS) yield JSON.parse(text);
  }
}

const MAX_CHARS = 2000;

function* variants(value: unknown): Generator<unknown> {
  yield value;
  yield* ODD_VALUES;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      for (const item of variants(value[at])) yield value.with(at, item);
    }
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      const { [name]: _left, ...others } = value;
      yield others;
      for (const changed of variants(member)) yield { ...value, [name]: changed };
    }
  }
}
