import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { dig, type Json, text } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { writeChunks } from "../kit/streams.ts";
import { FakeUpstream } from "../kit/upstream.ts";

const ORDER = {
  type: "object",
  properties: { name: { type: "string" }, age: { type: "integer" } },
  required: ["name", "age"],
  additionalProperties: false,
};
const DRAFT_7 = "http://json-schema.org/draft-07/schema#";
const writeAnswer = (content: string) =>
  writeChunks({ choices: [{ delta: { content }, finish_reason: "stop" }] });

/** Schemas of libraries, the model's output, the text that the client receives, and true for strict mode. */
const SCHEMAS: [what: string, schema: Json, output: string, received: string, strict: boolean][] = [
  [
    "zod-to-json-schema with a name",
    { $ref: "#/definitions/Order", $schema: DRAFT_7, definitions: { Order: ORDER } },
    '{"value":{"name":"Ann","age":3}}',
    '{"name":"Ann","age":3}',
    true,
  ],
  [
    "zod 4 with a getter",
    {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: { v: { type: "number" }, kids: { type: "array", items: { $ref: "#" } } },
      required: ["v", "kids"],
      additionalProperties: false,
    },
    '{"v":1,"kids":[{"v":2,"kids":[]}]}',
    '{"v":1,"kids":[{"v":2,"kids":[]}]}',
    true,
  ],
  [
    "zod 4 with a record",
    {
      type: "object",
      properties: { m: { type: "object", propertyNames: { type: "string" }, additionalProperties: {} } },
      required: ["m"],
    },
    '{"m":{"a":null}}',
    '{"m":{"a":null}}',
    false,
  ],
  [
    "pydantic with a discriminated union",
    {
      $defs: {
        Cat: {
          properties: { kind: { const: "cat", type: "string" }, lives: { type: "integer", default: 9 } },
          required: ["kind"],
          type: "object",
        },
        Dog: {
          properties: {
            kind: { const: "dog", type: "string" },
            name: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
          },
          required: ["kind"],
          type: "object",
        },
      },
      properties: {
        pet: {
          discriminator: { mapping: { cat: "#/$defs/Cat", dog: "#/$defs/Dog" }, propertyName: "kind" },
          oneOf: [{ $ref: "#/$defs/Cat" }, { $ref: "#/$defs/Dog" }],
        },
      },
      required: ["pet"],
      title: "Owner",
      type: "object",
    },
    '{"pet":{"kind":"cat","lives":null}}',
    '{"pet":{"kind":"cat"}}',
    true,
  ],
  [
    "pydantic with a tuple",
    {
      properties: {
        xy: {
          maxItems: 2,
          minItems: 2,
          prefixItems: [{ type: "number" }, { type: "number" }],
          type: "array",
        },
      },
      required: ["xy"],
      type: "object",
    },
    '{"xy":[1,2.5]}',
    '{"xy":[1,2.5]}',
    false,
  ],
  [
    "an object described by anyOf alone",
    { type: "object", anyOf: [ORDER, { type: "object", required: ["none"] }] },
    '{"none":true}',
    '{"none":true}',
    false,
  ],
  [
    "a list of large numbers",
    { type: "array", items: { type: "integer" } },
    '{"value": [12345678901234567890]}',
    "[12345678901234567890]",
    true,
  ],
  [
    "a property with the name __proto__",
    JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}},"required":["__proto__"]}'),
    '{"__proto__":"x"}',
    '{"__proto__":"x"}',
    true,
  ],
];

for (const [what, schema, output, received, strict] of SCHEMAS) {
  test(`output_config.format with the schema of ${what}`, async () => {
    const models = '{"data":[{"id":"vendor/model","supported_parameters":["structured_outputs"]}]}';
    const upstream = new FakeUpstream({ body: writeAnswer(output) }, { models });
    const gateway = createTestGateway({ upstream });
    const output_config = { format: { type: "json_schema", schema } };
    const answer: unknown = await (await gateway.post(minimalRequest("chat", { output_config }))).json();
    assert.equal(text(dig(answer, "content", 0, "text")), received);
    const sent = dig(upstream.requests[0]?.body, "response_format", "json_schema");
    assert.equal(dig(sent, "strict"), strict);
    assert.equal(dig(sent, "schema", "type"), "object", "hosts require an object");
  });
}
