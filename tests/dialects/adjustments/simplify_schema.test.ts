import assert from "node:assert/strict";
import { test } from "node:test";
import { simplifySchema } from "../../../lib/dialects/adjustments/simplify_schema.ts";
import type { JsonObject } from "../../../lib/base/json.ts";

const CASES: readonly [property: unknown, expected: unknown][] = [
  [{ type: ["string", "null"] }, { type: "string", nullable: true }],
  [{ type: ["string", "integer"] }, { anyOf: [{ type: "string" }, { type: "integer" }] }],
  [{ type: "null" }, { type: "string", nullable: true }],
  [{ type: "array" }, { type: "array", items: {} }],
  [{ type: "array", items: [{ type: "string" }] }, { type: "array", items: { type: "string" } }],
  [{ type: "array", prefixItems: [{ type: "string" }] }, { type: "array", items: { type: "string" } }],
  [{ enum: ["a", null] }, { type: "string", nullable: true, enum: ["a"] }],
  [{ type: "integer", enum: [1, 2] }, { type: "integer" }],
  [{ const: "a" }, { type: "string", enum: ["a"] }],
  [{ anyOf: [{ type: "string" }, { type: "null" }] }, { type: "string", nullable: true }],
  [{ oneOf: [{ type: "string" }, { type: "number" }] }, { anyOf: [{ type: "string" }, { type: "number" }] }],
  [
    { allOf: [{ properties: { a: { type: "string" } }, required: ["a"] }, { required: ["b"] }] },
    { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
  ],
  [{ $ref: "#/$defs/Text" }, { type: "string" }],
  [{ $ref: "#/$defs/Alias" }, { type: "string" }],
  [{ $ref: "#/$defs/Nowhere" }, { type: "object" }],
  [
    { $ref: "#/$defs/Tree" },
    { type: "object", properties: { left: { type: "object" }, right: { type: "object" } } },
  ],
  [{ type: "string", format: "uri" }, { type: "string" }],
  [true, {}],
];

test("simplifySchema() writes the shapes that Gemini accepts", () => {
  const tree = { $ref: "#/$defs/Tree" };
  const $defs = {
    Text: { type: "string" },
    Alias: { $ref: "#/$defs/Text" },
    Tree: { type: "object", properties: { left: tree, right: tree } },
  };
  for (const [property, expected] of CASES) {
    const simple = simplifySchema({ type: "object", $defs, properties: { it: property } });
    assert.deepEqual(simple, { type: "object", properties: { it: expected } }, JSON.stringify(property));
  }
});

test("simplifySchema() returns a simple schema itself", () => {
  const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
  assert.equal(simplifySchema(schema), schema);
});

test("simplifySchema() limits the size of resolved references", () => {
  const $defs: JsonObject = {};
  for (let at = 0; at < 30; at++) {
    const next = { $ref: `#/$defs/D${at + 1}` };
    $defs[`D${at}`] = { type: "object", properties: { a: next, b: next }, allOf: [next, next] };
  }
  const simple = simplifySchema({ type: "object", $defs, properties: { it: { $ref: "#/$defs/D0" } } });
  assert.ok(JSON.stringify(simple).length < 1_000_000);
});
