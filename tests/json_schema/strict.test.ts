import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isObject, type JsonObject } from "../../lib/base/json.ts";
import { withoutAddedNulls } from "../../lib/json_schema/output/restore.ts";
import { Schema } from "../../lib/json_schema/schema.ts";
import { toStrictSchema } from "../../lib/json_schema/output/strict.ts";
import { unwrapValue, wrapSchema } from "../../lib/json_schema/output/wrap.ts";
import { SEED } from "../kit/random.ts";
import { object } from "./schemas.ts";

const RUNS = { seed: SEED, numRuns: 500 };

/** A schema with a value that is valid under it, and the same value with `null` for each missing property. */
interface Example {
  schema: JsonObject;
  value: unknown;
  filled: unknown;
}

const leaf = (schema: JsonObject, value: unknown): Example => ({ schema, value, filled: value });

const { example, record } = fc.letrec<{ example: Example; record: Example }>((tie) => ({
  example: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(
      leaf({ type: "string", minLength: 1, format: "uri" }, "a:b"),
      leaf({ type: "integer", minimum: 1 }, 3),
      leaf({ enum: ["s", "l", 1] }, "l"),
      leaf({ type: "string", enum: ["s", "l"] }, "s"),
      leaf({ const: "k" }, "k"),
      leaf({ type: ["string", "null"] }, null),
      leaf({ $ref: "#/$defs/text" }, "text"),
    ),
    tie("record"),
    tie("example").map(({ schema, value, filled }) => ({
      schema: { type: "array", items: schema },
      value: [value, value],
      filled: [filled, filled],
    })),
    tie("example").map(({ schema, value, filled }) => ({
      schema: { anyOf: [schema, { type: "boolean" }] },
      value,
      filled,
    })),
    tie("example").map(({ schema, value, filled }) => ({
      schema: { allOf: [schema], description: "inlined" },
      value,
      filled,
    })),
  ),
  record: fc.dictionary(
    fc.constantFrom("a", "b", "__proto__", "c/d"),
    fc.record({ of: tie("example"), required: fc.boolean(), present: fc.boolean() }),
    { maxKeys: 3 },
  ).map((members): Example => {
    const entries = Object.entries(members);
    const present = entries.filter(([, { required, present }]) => required || present);
    return {
      schema: {
        type: "object",
        properties: Object.fromEntries(entries.map(([name, { of }]) => [name, of.schema])),
        required: entries.filter(([, { required }]) => required).map(([name]) => name),
      },
      value: Object.fromEntries(present.map(([name, { of }]) => [name, of.value])),
      filled: Object.fromEntries(entries.map(([name, { of, required, present }]) => [
        name,
        required || present ? of.filled : null,
      ])),
    };
  }),
}));

const definitions = { $defs: { text: { type: "string" } } };

/** True if a property that may be `null` is missing: then `null` may stay in its place. */
function isAmbiguous({ schema }: Example): boolean {
  return JSON.stringify(schema).includes('"null"');
}

test("toStrictSchema() allows what the schema allows, and withoutAddedNulls() restores it", () => {
  fc.assert(
    fc.property(record, (one) => {
      const schema = { ...one.schema, ...definitions };
      const strict = toStrictSchema(schema, { optional: "nullable" });
      if (strict === undefined) return fc.pre(false);
      assertStrict(strict);
      assert.deepEqual(new Schema(strict).check(one.filled), []);
      const restored = withoutAddedNulls(one.filled, new Schema(schema));
      assert.deepEqual(new Schema(schema).check(restored), []);
      if (!isAmbiguous(one)) assert.deepEqual(restored, one.value);
    }),
    RUNS,
  );
});

test("withoutAddedNulls() returns a valid value unchanged", () => {
  fc.assert(
    fc.property(record, ({ schema, value }) => {
      const checked = new Schema({ ...schema, ...definitions });
      assert.equal(withoutAddedNulls(value, checked), value);
    }),
    RUNS,
  );
});

test("wrapSchema() allows the same values as its schema", () => {
  fc.assert(
    fc.property(example, fc.jsonValue(), (one, other) => {
      const schema = { ...one.schema, ...definitions };
      const wrapped = new Schema(wrapSchema(schema));
      for (const value of [one.value, other]) {
        const paths = new Schema(schema).check(value).map(({ path }) => `/value${path}`);
        assert.deepEqual(wrapped.check({ value }).map(({ path }) => path), paths);
        assert.equal(unwrapValue({ value }), value);
      }
    }),
    RUNS,
  );
});

/** Checks that objects are closed, all properties are required, and there is no unsupported keyword. */
function assertStrict(schema: unknown): void {
  assert.ok(isObject(schema));
  const { properties, required, additionalProperties, items, anyOf, $ref, $defs, type } = schema;
  assert.ok([$ref, anyOf, type].some((one) => one !== undefined), JSON.stringify(schema));
  for (const keyword of ["minLength", "oneOf", "allOf"]) assert.ok(!Object.hasOwn(schema, keyword), keyword);
  if (properties !== undefined) {
    assert.ok(isObject(properties));
    assert.equal(additionalProperties, false);
    assert.deepEqual(required, Object.keys(properties));
  }
  const below = [isObject(properties) ? Object.values(properties) : [], items ?? [], anyOf ?? []].flat();
  for (const one of [...below, ...Object.values($defs ?? {})]) assertStrict(one);
}

/** Schemas, and their form for strict mode; undefined if they have none. */
const FITTED: [name: string, schema: JsonObject, strict: JsonObject | undefined][] = [
  ["a list", { type: "array", items: { type: "string" } }, undefined],
  ["a map", { type: "object", additionalProperties: { type: "string" } }, undefined],
  ["a property that is a map", object({ x: { type: "object", additionalProperties: {} } }), undefined],
  ["a free object", object({ x: { type: "object" } }), undefined],
  ["anything", object({ x: {} }), undefined],
  ["a tuple", object({ x: { type: "array", prefixItems: [{ type: "string" }] } }), undefined],
  ["patterns of names", { type: "object", properties: {}, patternProperties: { a: {} } }, undefined],
  [
    "an object that is described by choices",
    { type: "object", anyOf: [object({ x: { type: "string" } })] },
    undefined,
  ],
  ["a required name without a schema", { type: "object", properties: {}, required: ["x"] }, undefined],
  ["several schemas at once", object({ x: { allOf: [{ type: "string" }, { minLength: 1 }] } }), undefined],
  [
    "a reference into a property",
    object({ x: { type: "string" }, y: { $ref: "#/properties/x" } }),
    undefined,
  ],
  ["recursion", object({ next: { oneOf: [{ $ref: "#" }, { type: "null" }] } }), {
    ...object({ next: { anyOf: [{ $ref: "#" }, { type: "null" }] } }),
    additionalProperties: false,
  }],
  [
    "constraints of text",
    object({ x: { type: "string", description: "Name", minLength: 1, pattern: "^(?!a)", format: "uri" } }),
    {
      ...object({
        x: { type: "string", description: 'Name\n\n(minLength: 1, pattern: "^(?!a)", format: "uri")' },
      }),
      additionalProperties: false,
    },
  ],
  ["defaults and examples", object({ x: { type: "integer", default: 1, examples: [2], maximum: 9 } }), {
    ...object({ x: { type: "integer", maximum: 9 } }),
    additionalProperties: false,
  }],
];

for (const [name, schema, strict] of FITTED) {
  test(`toStrictSchema() of ${name}`, () => {
    assert.deepEqual(toStrictSchema(schema, { optional: "nullable" }), strict);
  });
}

test("toStrictSchema() returns undefined for optional properties that do not fit", () => {
  const schema = { type: "object", properties: { x: { type: "string" } } };
  assert.equal(toStrictSchema(schema, { optional: "unfit" }), undefined);
});
