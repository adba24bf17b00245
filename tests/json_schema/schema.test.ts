import assert from "node:assert/strict";
import { test } from "node:test";
import { Schema } from "../../lib/json_schema/schema.ts";
import { CostError } from "../../lib/json_schema/schema_error.ts";
import { StepBudget } from "../../lib/json_schema/step_budget.ts";
import { nested } from "./schemas.ts";

const ORDER = {
  type: "object",
  properties: {
    items: {
      type: "array",
      items: {
        type: "object",
        properties: { sku: { type: "string", pattern: "^[a-z]+$" }, qty: { type: "integer", minimum: 1 } },
        required: ["sku", "qty"],
        additionalProperties: false,
      },
    },
    status: { enum: ["open", "closed"] },
  },
  required: ["items"],
};

/** Values, and the errors: a path and the requirement. */
const ERRORS: [name: string, schema: unknown, value: unknown, errors: string[]][] = [
  ["a valid value", ORDER, { items: [{ sku: "bee", qty: 1 }] }, []],
  ["a wrong type deep inside", ORDER, { items: [{ sku: "bee", qty: 1 }, { sku: "hive", qty: "two" }] }, [
    "/items/1/qty must be integer",
  ]],
  ["a missing member", ORDER, { items: [{ sku: "bee" }] }, ["/items/0/qty is required"]],
  ["an excess member", ORDER, { items: [{ sku: "bee", qty: 1, "a/b": 2 }] }, [
    "/items/0/a~1b is not allowed",
  ]],
  ["several complaints", ORDER, { items: [{ sku: "Bee", qty: 0 }], status: "lost" }, [
    '/items/0/sku must match the pattern "^[a-z]+$"',
    "/items/0/qty must be at least 1",
    '/status must be one of ["open","closed"]',
  ]],
  ["null for a choice of types", { anyOf: [{ type: "string" }, { type: "number" }] }, null, [
    " must be string or number",
  ]],
  [
    "the alternative that was meant",
    {
      anyOf: [
        {
          type: "object",
          properties: { kind: { const: "cat" }, lives: { type: "integer" } },
          required: ["kind"],
        },
        {
          type: "object",
          properties: { kind: { const: "dog" }, barks: { type: "boolean" } },
          required: ["kind"],
        },
      ],
    },
    { kind: "dog", barks: "loud" },
    ["/barks must be boolean"],
  ],
  ["more than one of `oneOf`", { oneOf: [{ minimum: 1 }, { minimum: 2 }] }, 3, [
    " must be valid under exactly one schema of `oneOf`, and is under more",
  ]],
  ["a tuple of draft 7", { items: [{ type: "string" }], additionalItems: false }, [1, 2], [
    "/0 must be string",
    "/1 is not allowed",
  ]],
  [
    "siblings of `$ref` in draft 7",
    {
      $schema: "http://json-schema.org/draft-07/schema#",
      definitions: { a: { type: "string" } },
      $ref: "#/definitions/a",
      maxLength: 1,
    },
    "long",
    [],
  ],
  [
    "siblings of `$ref` in draft 2020-12",
    {
      $defs: { a: { type: "string" } },
      $ref: "#/$defs/a",
      maxLength: 1,
    },
    "long",
    [" must have at most 1 characters"],
  ],
  ["exclusive limits of draft 4", { minimum: 1, exclusiveMinimum: true }, 1, [" must be greater than 1"]],
  ["`format`, which is an annotation", { type: "string", format: "email" }, "no address", []],
  [
    "a member named `__proto__`",
    JSON.parse('{"properties":{"__proto__":{"type":"string"}}}'),
    JSON.parse(
      '{"__proto__":1}',
    ),
    ["/__proto__ must be string"],
  ],
  ["a required member named `toString`", { required: ["toString"] }, {}, ["/toString is required"]],
  ["characters outside the basic plane", { maxLength: 2 }, "🐝🐝", []],
  [
    "a schema at a place of no keyword",
    { $ref: "#/components/a", components: { a: { type: "string" } } },
    1,
    [
      " must be string",
    ],
  ],
];

for (const [name, schema, value, errors] of ERRORS) {
  test(`Schema.check() of ${name}`, () => {
    const found = new Schema(schema).check(value);
    assert.deepEqual(found.map(({ path, message }) => `${path} ${message}`), errors);
  });
}

/** Checks whose naive cost is exponential or quadratic, with a bound of the steps that they may take. */
const COSTS: [name: string, schema: unknown, value: unknown, maxSteps: number][] = [
  [
    "references that double 40 times",
    {
      $ref: "#/$defs/a0",
      $defs: Object.fromEntries([
        ...Array.from({ length: 40 }, (_, at) => {
          const next = { $ref: `#/$defs/a${at + 1}` };
          return [`a${at}`, { anyOf: [next, next] }];
        }),
        ["a40", { type: "number" }],
      ]),
    },
    "no number",
    1000,
  ],
  [
    "references that double at each level",
    {
      $ref: "#/$defs/a",
      $defs: { a: { properties: { a: { anyOf: [{ $ref: "#/$defs/a" }, { $ref: "#/$defs/a" }] } } } },
    },
    nested(100, (inner) => ({ a: inner })),
    5000,
  ],
  [
    "100,000 unique items",
    { uniqueItems: true },
    Array.from({ length: 100_000 }, (_, id) => ({ id })),
    200_000,
  ],
  ["a pattern that backtracks", { pattern: "^(a+)+$" }, `${"a".repeat(100_000)}!`, 200_000],
  [
    "an enum of 10,000 values",
    { items: { enum: Array.from({ length: 10_000 }, (_, at) => `v${at}`) } },
    Array.from(
      { length: 10_000 },
      (_, at) => `v${at}`,
    ),
    50_000,
  ],
];

for (const [name, schema, value, maxSteps] of COSTS) {
  test(`Schema.check() of ${name} needs few steps`, () => {
    new Schema(schema).check(value, new StepBudget(maxSteps));
  });
}

test("Schema.check() stops at its limits of steps and of depth", () => {
  const tree = new Schema({ additionalProperties: { $ref: "#" }, uniqueItems: true, items: { $ref: "#" } });
  assert.throws(() => tree.check(nested(100_000, (inner) => [inner])), CostError);
  assert.throws(() => tree.check(nested(100_000, (inner) => ({ a: inner }))), CostError);
  assert.throws(() => new Schema({ enum: [1] }).check(nested(100_000, (inner) => [inner])), CostError);
  assert.throws(() => tree.check(Array.from({ length: 1000 }, () => 1), new StepBudget(999)), CostError);
});
