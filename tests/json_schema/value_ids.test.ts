import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Schema } from "../../lib/json_schema/schema.ts";
import { CostError } from "../../lib/json_schema/schema_error.ts";
import { ValueIds } from "../../lib/json_schema/value_ids.ts";
import { isJson } from "../kit/json.ts";

/** Returns an equal value with the members of all objects in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isJson(value)) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([name, one]) => [name, reversed(one)]));
}

/** Writes a value with sorted members. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isJson(value)) return JSON.stringify(value === 0 ? 0 : value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join()}}`;
}

test("ValueIds assigns the same number to equal values only", () => {
  const few = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  fc.assert(fc.property(fc.array(few, { minLength: 2, maxLength: 8 }), (values) => {
    const ids = new ValueIds();
    for (const one of values) {
      assert.equal(ids.idOf(one), ids.idOf(reversed(one)));
      for (const other of values) {
        assert.equal(ids.idOf(one) === ids.idOf(other), canonical(one) === canonical(other));
      }
    }
  }));
});

const DIFFERENT: [one: unknown, other: unknown][] = [
  [1, "1"],
  [null, "null"],
  [true, "true"],
  [[], {}],
  [[1, [2]], [[1], 2]],
  [{ a: 1 }, { a: { a: 1 } }],
  ["[0]", [0]],
  [{ "0:1": 0 }, { 0: { 1: 0 } }],
];

for (const [one, other] of DIFFERENT) {
  test(`ValueIds distinguishes ${JSON.stringify(one)} from ${JSON.stringify(other)}`, () => {
    const ids = new ValueIds();
    assert.notEqual(ids.idOf(one), ids.idOf(other));
  });
}

function nest(leaf: unknown, levels: number): unknown {
  let value = leaf;
  for (let level = 0; level < levels; level++) value = { at: level, in: value };
  return value;
}

test("Schema compares a text of 20 MiB below 190 levels, and keeps it once", () => {
  const text = "bee".repeat(7 * 1024 * 1024);
  const schema = new Schema({ enum: [nest(text, 190), nest(`${text}s`, 190)] });
  assert.deepEqual(schema.check(nest(text, 190)), []);
  assert.equal(schema.check(nest(`${text}!`, 190)).length, 1);
});

test("Schema compares a constant of 1 MB with 20,000 values", () => {
  const schema = new Schema({ items: { anyOf: [{ const: "x".repeat(1e6) }, { type: "integer" }] } });
  assert.deepEqual(schema.check(Array.from({ length: 20_000 }, (_, at) => at)), []);
});

test("Schema finds equal items among 1,800 texts of 16 kB that differ in their end", () => {
  const texts = Array.from({ length: 1800 }, (_, at) => "x".repeat(16_400) + String(at).padStart(5, "0"));
  const schema = new Schema({ uniqueItems: true });
  assert.deepEqual(schema.check(texts), []);
  assert.equal(schema.check([...texts, texts[7]]).length, 1);
});

test("ValueIds rejects a value that is nested too deep", () => {
  assert.throws(() => new ValueIds().idOf(nest(1, 700)), CostError);
});
