import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonObject } from "../../lib/base/json.ts";
import { Schema } from "../../lib/json_schema/schema.ts";
import { SchemaError } from "../../lib/json_schema/schema_error.ts";
import { wrapSchema } from "../../lib/json_schema/output/wrap.ts";
import { SEED } from "../kit/random.ts";

const RUNS = { seed: SEED, numRuns: 3000 };

const NAMES = ["a", "b"];
const limit = fc.integer({ min: -1, max: 3 });
const size = fc.integer({ min: 0, max: 3 });
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(null, true, "", "a", "ab", -1, 0, 1, 2.5, 3),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 2 }),
  ),
}));

/** Schemas of few names and small numbers, so that values are often valid, and contradictions frequent. */
const { schema } = fc.letrec<{ schema: unknown }>((tie) => {
  const list = fc.array(tie("schema"), { minLength: 1, maxLength: 3 });
  const members = fc.dictionary(fc.constantFrom(...NAMES), tie("schema"), { maxKeys: 2 });
  const keywords: Record<string, fc.Arbitrary<unknown>> = {
    type: fc.constantFrom("null", "boolean", "integer", "number", "string", "array", "object", [
      "string",
      "null",
    ]),
    enum: fc.array(value, { maxLength: 3 }),
    const: value,
    minimum: limit,
    maximum: limit,
    exclusiveMinimum: limit,
    exclusiveMaximum: limit,
    minLength: size,
    maxLength: size,
    pattern: fc.constantFrom("^a", "b$"),
    minItems: size,
    maxItems: size,
    uniqueItems: fc.boolean(),
    items: tie("schema"),
    prefixItems: list,
    contains: tie("schema"),
    minContains: size,
    maxContains: size,
    minProperties: size,
    maxProperties: size,
    properties: members,
    patternProperties: members,
    additionalProperties: tie("schema"),
    propertyNames: tie("schema"),
    required: fc.subarray(NAMES),
    allOf: list,
    anyOf: list,
    oneOf: list,
    not: tie("schema"),
    if: tie("schema"),
    then: tie("schema"),
    else: tie("schema"),
    dependentSchemas: members,
    unevaluatedProperties: tie("schema"),
    unevaluatedItems: tie("schema"),
    $ref: fc.constantFrom("#", "#/$defs/one", "#/$defs/two"),
  };
  const some = fc.subarray(Object.keys(keywords), { maxLength: 3 }).chain((names) =>
    fc.record(Object.fromEntries(names.map((name) => [name, keywords[name] ?? fc.constant(true)])))
  );
  return { schema: fc.oneof({ depthSize: "small" }, fc.boolean(), some) };
});

const root = fc.tuple(schema, schema, schema).map(([all, one, two]): JsonObject => ({
  allOf: [all],
  $defs: { one, two },
}));

/** Returns a schema; undefined if it refers to itself without progress. */
function toSchema(of: unknown): Schema | undefined {
  try {
    return new Schema(of);
  } catch (error) {
    assert.ok(error instanceof SchemaError);
    return undefined;
  }
}

test("assertSatisfiable() accepts every schema under which a value is valid", () => {
  let valid = 0;
  fc.assert(
    fc.property(root, fc.array(value, { minLength: 5, maxLength: 5 }), (one, values) => {
      const usable = toSchema(one);
      if (usable === undefined || !values.some((item) => usable.check(item).length === 0)) return;
      valid++;
      usable.assertSatisfiable();
    }),
    RUNS,
  );
  assert.ok(valid > 500, `${valid} schemas with a valid value`);
});

test("Schema.check() returns the same result with and without shared references", () => {
  fc.assert(
    fc.property(root, value, (one, item) => {
      const shared = toSchema(one);
      // Any dynamic reference disables the cache of results.
      const separate = toSchema({ ...one, $defs: { ...Object(one.$defs), none: { $dynamicRef: "#" } } });
      assert.deepEqual(separate?.check(item), shared?.check(item));
    }),
    RUNS,
  );
});

test("wrapSchema() keeps what any schema allows", () => {
  fc.assert(
    fc.property(root, value, fc.boolean(), (one, item, named) => {
      const schema = named ? { ...one, $id: "https://example.com/schema" } : one;
      const plain = toSchema(schema);
      const wrapped = toSchema(wrapSchema(schema));
      assert.equal(wrapped?.check({ value: item }).length, plain?.check(item).length);
    }),
    RUNS,
  );
});
