import assert from "node:assert/strict";
import { test } from "node:test";
import { findExcess, surveyJson } from "../../lib/base/json_bounds.ts";

/** A member before the number: short texts are not surveyed. */
const LONG = JSON.stringify({ text: "1e5, [1E5] ".repeat(50) }).slice(0, -1);
const NONE = "0".repeat(309);

/** Numbers that are parsed as infinite. */
const INFINITE = ["1e999", "-1E999", "1.5e+400", `1${NONE}`, `-1${NONE}.5`];
/** Values without such a number. */
const FINITE = ["1", "-0.5", "[true,false,null]", '"1e999"', '{"1e999":"e"}', `"1${NONE}"`];

for (const number of INFINITE) {
  test(`surveyJson() finds the infinite number ${number.slice(0, 10)}`, () => {
    for (const text of [`${LONG},"n":${number}}`, `${LONG},"n":[1, ${number} ,2]}`]) {
      assert.equal(surveyJson(text).mayHaveInfinite, true, text);
    }
    assert.equal(surveyJson(number + " ".repeat(400)).mayHaveInfinite, true);
    assert.equal(surveyJson(number).mayHaveInfinite, true);
  });
}

for (const value of FINITE) {
  test(`surveyJson() finds no infinite number in ${value.slice(0, 10)}`, () => {
    assert.deepEqual(surveyJson(`${LONG},"n":${value}}`), { excess: undefined, mayHaveInfinite: false });
  });
}

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
