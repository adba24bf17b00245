import assert from "node:assert/strict";
import { test } from "node:test";
import { everyByte } from "../kit/bytes.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { parseJson } from "../kit/json.ts";
import { captureLog } from "../kit/log.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { writeChunks } from "../kit/streams.ts";
import { object } from "../json_schema/schemas.ts";

const callOf = (...inputs: unknown[]) =>
  writeChunks(
    {
      choices: [{
        delta: {
          tool_calls: inputs.map((input, index) => ({
            index,
            id: `call_${index}`,
            function: { name: "find", arguments: JSON.stringify(input) },
          })),
        },
      }],
    },
    { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
  );
const requestWith = (input_schema: unknown, stream: boolean) =>
  minimalRequest("chat", { stream, tools: [{ name: "find", input_schema }] });

/** Schemas and arguments, with the losses that are reported. */
const CALLS: [name: string, schema: Record<string, unknown>, input: unknown, losses: string | null][] = [
  ["valid arguments", object({ page: { type: "integer" } }), { page: 2 }, null],
  ["arguments that are corrected", object({ page: { type: "integer" } }), { page: "2" }, null],
  [
    "arguments of the wrong type",
    object({ page: { type: "integer" } }),
    { page: "next" },
    "content.0.input.page;invalid",
  ],
  ["missing arguments", object({ page: {}, name: {} }), { page: 1 }, "content.0.input.name;invalid"],
  ["arguments deep inside", object({ items: { items: object({ qty: { minimum: 1 } }) } }), {
    items: [{ qty: 1 }, { qty: 0 }],
  }, "content.0.input.items.1.qty;invalid"],
  ["a schema that cannot be used", object({ page: { $ref: "#/none" } }), { page: "next" }, null],
  ["a schema with an unsupported pattern", object({ name: { pattern: "(a)\\1" } }), { name: "b" }, null],
];

for (const [name, schema, input, losses] of CALLS) {
  test(`POST /v1/messages reports the input of a call with ${name}`, async () => {
    const { post } = createTestGateway({ upstream: { body: callOf(input) } });
    const response = await post(requestWith(schema, false));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-gateway-loss"), losses);
  });
}

test("POST /v1/messages checks the calls of an answer within one number of steps", async () => {
  const pages = Array.from({ length: 50_000 }, (_, at) => at);
  const schema = object({ pages: { items: { type: "integer", minimum: 1 } } });
  const { post } = createTestGateway({ upstream: { body: callOf({ pages }, { pages }, { pages: [0] }) } });
  const response = await post(requestWith(schema, false));
  // The second call uses the rest of the steps, and is not checked to its end.
  assert.equal(response.headers.get("x-gateway-loss"), "content.0.input.pages.0;invalid");
  await response.text();
});

test("the log reports invalid input of a streamed call, whose headers are sent before", async () => {
  const body = callOf({ page: "next" });
  const lines = await captureLog(async () => {
    const { post } = createTestGateway({ upstream: { body, cuts: everyByte(body.length) } });
    const response = await post(requestWith(object({ page: { type: "integer" } }), true));
    assert.equal(response.headers.get("x-gateway-loss"), null);
    assert.match(await response.text(), /message_stop/);
  });
  const record = lines.map((line) => parseJson(line)).find(({ message }) => message === "request");
  assert.match(JSON.stringify(record), /"content\.0\.input\.page invalid"/);
});
