import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { coerce } from "../../lib/anthropic/tool_input/coerce.ts";
import { ToolInput } from "../../lib/anthropic/tool_input/tool_input.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { SEED } from "../kit/random.ts";

const RUNS = { seed: SEED, numRuns: 1000 };

const TYPES = ["string", "number", "integer", "boolean", "null", "array", "object"];
const { schema } = fc.letrec<{ schema: unknown }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(true, {}, { $ref: "#/$defs/A" }, { $ref: "#/$defs/B" }, {
      $ref: "https://away",
    }),
    fc.constantFrom(...TYPES).map((type) => ({ type })),
    fc.subarray(TYPES).map((type) => ({ type })),
    fc.record({ type: fc.constant("array"), items: tie("schema") }),
    fc.record({
      type: fc.constant("object"),
      properties: fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("schema")),
    }),
    fc.record({ anyOf: fc.array(tie("schema"), { maxLength: 3 }) }),
  ),
}));
const root = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__", 'q"\\u'), schema).map((
  properties,
): JsonObject => ({
  type: "object",
  properties,
  $defs: {
    A: { type: "array", items: { $ref: "#/$defs/B" } },
    B: { anyOf: [{ $ref: "#/$defs/B" }, { $ref: "#/$defs/B" }, { $ref: "#/$defs/A" }, { type: "integer" }] },
  },
}));

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(
      "",
      "7",
      "7.5",
      "true",
      "False",
      "null",
      "a, b",
      "[1]",
      '["7"]',
      '{"a":"7"}',
      "[",
      "é\ud83d",
    ),
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("value")),
  ),
}));
const input = fc.dictionary(fc.constantFrom("a", "b", "c", "d", "__proto__", 'q"\\u'), value);
const indent = fc.constantFrom(undefined, 1, "\t");
const cuts = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 12 });

/** Feeds a text in fragments of the given sizes, then the rest. */
function read(text: string, schema: JsonObject | undefined, sizes: readonly number[]): string {
  const input = new ToolInput(schema);
  let out = "";
  let at = 0;
  for (const size of sizes) {
    out += input.push(text.slice(at, at + size));
    at += size;
  }
  return out + input.push(text.slice(at)) + input.end();
}

test("ToolInput with a schema corrects arguments member by member at any cut", () => {
  fc.assert(
    fc.property(root, input, indent, cuts, (schema, given, space, sizes) => {
      const text = JSON.stringify(given, null, space);
      const output = read(text, schema, sizes);
      assert.equal(output, read(text, schema, []), "the same for any cut");
      assert.deepEqual(JSON.parse(output), toPlain(coerce(JSON.parse(text), schema, schema)));
    }),
    RUNS,
  );
});

test("ToolInput with a schema returns valid arguments byte for byte", () => {
  fc.assert(
    fc.property(root, input, indent, cuts, (schema, given, space, sizes) => {
      const text = JSON.stringify(given, null, space);
      const parsed = JSON.parse(text);
      if (coerce(parsed, schema, schema) === parsed) {
        assert.equal(read(text, schema, sizes), Object.keys(parsed).length === 0 ? "{}" : text);
      }
    }),
    RUNS,
  );
});

test("ToolInput with a schema does not change corrected arguments again", () => {
  fc.assert(
    fc.property(root, input, (schema, given) => {
      const once = coerce(toPlain(given), schema, schema);
      assert.deepEqual(coerce(once, schema, schema), once);
    }),
    RUNS,
  );
});

function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test("ToolInput with a schema streams text of the right type without delay", () => {
  const schema = { type: "object", properties: { text: { type: "string" }, n: { type: "integer" } } };
  const input = new ToolInput(schema);
  assert.equal(input.push('{"text":"one '), '{"text":"one ');
  assert.equal(input.push("two "), "two ");
  assert.equal(input.push('three","n":"1'), 'three","n":');
  assert.equal(input.push("2"), "");
  assert.equal(input.flush(), '"12');
  assert.equal(input.push('"'), "");
  assert.equal(input.push("}"), "12}");
  assert.equal(input.flush(), "");
});

const string = { type: "string" };
const number = { type: "number" };
const integer = { type: "integer" };
const boolean = { type: "boolean" };
const strings = { type: "array", items: string };
const maybe = { anyOf: [integer, { type: "null" }] };

const CASES: [given: unknown, schema: JsonObject, expected: unknown][] = [
  ["12", integer, 12],
  [" 1.5 ", number, 1.5],
  ["1.5", integer, "1.5"],
  ["1.0", integer, 1],
  ["12345678901234567890", integer, "12345678901234567890"],
  ["1e999", number, "1e999"],
  ["12 bees", integer, "12 bees"],
  ["", integer, ""],
  ["null", maybe, null],
  ["7", maybe, 7],
  ["true", boolean, true],
  ["False", boolean, false],
  ["yes", boolean, "yes"],
  [1, boolean, 1],
  [12, string, "12"],
  [true, string, true],
  [{ a: 1 }, string, { a: 1 }],
  [12, { type: ["string", "number"] }, 12],
  ['["a"]', strings, ["a"]],
  ["a", strings, ["a"]],
  [5, strings, 5],
  ["a, b", strings, "a, b"],
  ["a\nb", strings, "a\nb"],
  ['["a"', strings, '["a"'],
  ["", strings, ""],
  [null, strings, null],
  ["a", { type: "array" }, "a"],
  ["a", { anyOf: [strings, { type: "object" }] }, "a"],
  [{ a: "1" }, { type: "array", items: { type: "object", properties: { a: integer } } }, [{ a: 1 }]],
  ['{"a":"1"}', { type: "object", properties: { a: integer } }, { a: 1 }],
  ["12", {}, "12"],
  ["12", { enum: [12] }, "12"],
];

for (const [given, schema, expected] of CASES) {
  test(`coerce() reads ${JSON.stringify(given)} as ${JSON.stringify(expected)} for ${JSON.stringify(schema)}`, () => {
    assert.deepEqual(coerce(given, schema, schema), expected);
  });
}
