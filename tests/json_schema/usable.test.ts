import assert from "node:assert/strict";
import { test } from "node:test";
import { Schema } from "../../lib/json_schema/schema.ts";
import { SchemaError } from "../../lib/json_schema/schema_error.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { dig, parseJson, text } from "../kit/json.ts";
import { manyProperties, UNUSABLE, USABLE } from "./schemas.ts";

const toRequest = (schema: unknown) => ({
  model: "acme/talker-1",
  max_tokens: 64,
  messages: [{ role: "user", content: "Report" }],
  output_config: { format: { type: "json_schema", schema } },
});

for (const [name, schema, pointer] of UNUSABLE) {
  test(`a request with a schema of ${name} is a 400 with a JSON pointer`, async () => {
    const gateway = createTestGateway();
    const response = await gateway.post(toRequest(schema));
    const body = parseJson(await response.text());
    assert.equal(response.status, 400, JSON.stringify(body));
    assert.equal(response.headers.get("x-should-retry"), "false");
    assert.equal(dig(body, "error", "details", "pointer"), pointer);
    const message = text(dig(body, "error", "message"));
    assert.ok(
      message.startsWith(`output_config.format.schema: Cannot use the schema at "${pointer}": `),
      message,
    );
    assert.equal(gateway.upstream.requests.length, 0);
  });
}

for (const [name, schema, valid] of USABLE) {
  test(`a schema of ${name} can be used`, () => {
    const usable = new Schema(schema);
    usable.assertSatisfiable();
    assert.deepEqual(usable.check(valid), []);
  });
}

test("assertSatisfiable() stops a search that takes too long", () => {
  const limits = Array.from({ length: 4000 }, (_, minimum) => ({ minimum }));
  const schema = {
    type: "object",
    required: ["p0"],
    properties: manyProperties(4000, { $ref: "#/$defs/limits" }),
    $defs: { limits: { allOf: limits } },
  };
  new Schema(schema).assertSatisfiable();
});

test("assertSatisfiable() stops at names that take too long to look up", () => {
  const required = Array.from({ length: 9000 }, (_, at) => `p${at}`);
  const properties = manyProperties(4000, { $ref: "#/$defs/names" });
  const schema = { type: "object", properties, $defs: { names: { required } } };
  new Schema(schema).assertSatisfiable();
  const patternProperties = { "(?:a|b|p){100}": {} };
  new Schema({ required: required.map((name) => name.padStart(1000, "p")), patternProperties })
    .assertSatisfiable();
});

test("Schema rejects every unusable schema of the table", () => {
  for (const [name, schema] of UNUSABLE) {
    assert.throws(() => new Schema(schema).assertSatisfiable(), SchemaError, name);
  }
});
