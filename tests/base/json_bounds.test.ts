import assert from "node:assert/strict";
import { test } from "node:test";
import { findExcess, mayExceed, surveyJson } from "../../lib/base/json_bounds.ts";
import { createRandom, SEED } from "../kit/random.ts";

const NONE = "0".repeat(309);

for (const number of ["1e999", "-1E999", `1${NONE}`, `-1${NONE}.5`]) {
  test(`surveyJson() finds the infinite number ${number.slice(0, 10)}`, () => {
    for (const text of [number, `[1,${number},2]`, `{"a":{"b":[${number}]}}`]) {
      assert.equal(surveyJson(JSON.parse(text)).isFinite, false, text);
    }
  });
}

for (const value of ["1", "-0.5", "[true,false,null]", '"1e999"', '{"1e999":"e"}', `"1${NONE}"`]) {
  test(`surveyJson() finds no infinite number in ${value.slice(0, 10)}`, () => {
    assert.equal(surveyJson(JSON.parse(value)).isFinite, true);
  });
}

for (
  const [text, isWellFormed] of [['"\\ud83d\\ude00"', true], ['["\\ud83d"]', false], [
    '{"\\ude00":1}',
    false,
  ]] as const
) {
  test(`surveyJson() finds ${isWellFormed ? "no" : "the"} lone surrogate in ${text}`, () => {
    assert.equal(surveyJson(JSON.parse(text)).isWellFormed, isWellFormed);
  });
}

test("surveyJson() and findExcess() find the same excess of generated values", () => {
  const next = createRandom(SEED);
  const toValue = (depth: number): unknown => {
    const size = next(4);
    const items = Array.from({ length: size }, () => depth === 0 ? next(9) : toValue(depth - 1));
    return next(2) === 0
      ? items
      : Object.fromEntries(items.map((item) => ["n".repeat(next(150)) + next(99), item]));
  };
  const found = new Set<unknown>();
  for (let nth = 0; nth < 2000; nth++) {
    const value = toValue(next(6));
    const bounds = { depth: 1 + next(6), values: 1 + next(60), names: 1 + next(40) };
    const least = { depth: 6, values: 1e9, names: 1e9 };
    const text = JSON.stringify(value);
    for (const one of ["depth", "values", "names"] as const) {
      const only = { ...least, [one]: bounds[one] };
      const excess = findExcess(text + " ".repeat(20), only);
      assert.equal(surveyJson(value, only).excess, excess, `${text} ${JSON.stringify(only)}`);
      found.add(excess);
    }
  }
  assert.equal(found.size, 4);
});

test("findExcess() counts each name once, at any number and order of occurrences", () => {
  const bounds = { depth: 9, values: 10_000, names: 100 };
  const names = Array.from({ length: 100 }, (_, nth) => `a${String.fromCharCode(48 + nth)}é${nth % 7}z`);
  const list = (...all: string[]) => JSON.stringify(all.map((name) => ({ [name]: 1 })));
  assert.equal(findExcess(list(...names, ...names.toReversed(), ...names), bounds), undefined);
  assert.equal(findExcess(list(...names, ...names.toReversed(), "one more"), bounds), "names");
});

test("findExcess() reads a name once, for any number of colons after it", () => {
  // The text would take half an hour if each colon cost the length of the name.
  const half = 1_000_000;
  assert.equal(findExcess(`{"${"a".repeat(half)}"${":".repeat(half)}`), undefined);
});

const CHARS = 2_000_000;

for (
  const [name, text] of [
    ["deep lists", "[".repeat(CHARS)],
    ["deep objects", '{"a":'.repeat(CHARS / 5)],
    ["numbers", `[${"1,".repeat(CHARS / 2)}1]`],
    ["numbers behind a long text", `["${"x".repeat(CHARS)}",${"1,".repeat(CHARS / 2)}1]`],
    ["lists", `[${"[],".repeat(CHARS / 3)}1]`],
    ["members", `{${'"ab":1,'.repeat(CHARS / 7)}"ab":1}`],
  ] as const
) {
  test(`mayExceed() finds too many values: ${name}`, () => {
    for (const random of [Math.random, () => 0, () => 0.999]) assert.equal(mayExceed(text, random), true);
    assert.notEqual(findExcess(text), undefined);
  });
}

test("mayExceed() is false for texts with few values, and for short ones", () => {
  assert.equal(mayExceed(JSON.stringify(Array(CHARS / 100).fill("x".repeat(100))), Math.random), false);
  assert.equal(mayExceed("1,".repeat(32 * 1024), Math.random), false);
});
