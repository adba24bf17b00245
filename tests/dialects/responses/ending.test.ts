import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../../kit/gateway.ts";
import { dig, parseJson } from "../../kit/json.ts";
import { minimalRequest } from "../../kit/requests/request.ts";

/** Status and reason of an answer with a text, and the stop reason or the type of the error. */
const ENDS: [status: unknown, reason: unknown, expected: string][] = [
  ["completed", undefined, "end_turn"],
  ["complete", undefined, "end_turn"],
  ["success", undefined, "end_turn"],
  [undefined, undefined, "end_turn"],
  ["completed", "max_output_tokens", "max_tokens"],
  ["incomplete", "max_output_tokens", "max_tokens"],
  ["incomplete", "MAX_TOKENS", "max_tokens"],
  ["incomplete", undefined, "max_tokens"],
  ["length", undefined, "max_tokens"],
  ["incomplete", "model_context_window_exceeded", "model_context_window_exceeded"],
  ["incomplete", "content_filter", "refusal"],
  ["incomplete", "SAFETY", "refusal"],
  ["incomplete", "content_filter: PROHIBITED_CONTENT", "refusal"],
  ["incomplete", "stop_sequence", "stop_sequence"],
  ["incomplete", "network_error", "overloaded_error"],
  ["incomplete", "insufficient_system_resource", "overloaded_error"],
  ["incomplete", "function_call_filter: MALFORMED_FUNCTION_CALL", "api_error"],
  ["incomplete", "repetition", "api_error"],
  ["cancelled", undefined, "overloaded_error"],
  ["failed", undefined, "api_error"],
  ["queued", undefined, "api_error"],
  ["in_progress", undefined, "api_error"],
];

const MESSAGE = { type: "message", role: "assistant", content: [{ type: "output_text", text: "Three." }] };

async function ask(response: object, { stream = false } = {}) {
  const { post } = createTestGateway({
    settings: { UPSTREAMS: { up: { url: "http://up.test/v1", key: "k", dialect: "responses" } } },
    upstream: {
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ object: "response", id: "resp_1", output: [MESSAGE], ...response }),
    },
  });
  const answer = await post(minimalRequest("chat", { model: "up/bee-1", stream }));
  return { headers: answer.headers, text: await answer.text() };
}

for (const [status, reason, expected] of ENDS) {
  test(`a response with the status ${status} and the reason ${reason} ends with ${expected}`, async () => {
    const details = reason === undefined ? null : { reason };
    const { text } = await ask({ ...(status !== undefined && { status }), incomplete_details: details });
    const answer = parseJson(text);
    assert.equal(dig(answer, "error", "type") ?? answer.stop_reason, expected);
  });
}

test("a response that is incomplete for an unknown reason ends with max_tokens, and the reason is reported", async () => {
  const response = { status: "incomplete", incomplete_details: { reason: "solar_flare" } };
  const { headers, text } = await ask(response);
  assert.equal(parseJson(text).stop_reason, "max_tokens");
  assert.match(headers.get("x-gateway-loss") ?? "", /answer\.stop_reason;approximated/);
});

test("a response that ends for an unknown reason without content is a failure", async () => {
  const { text } = await ask({ status: "solar_flare", output: [] });
  assert.equal(dig(parseJson(text), "error", "type"), "api_error");
});

test("a response with an empty error beside its answer is an answer", async () => {
  const { text } = await ask({ status: "completed", error: { code: null, message: "" } });
  assert.equal(parseJson(text).stop_reason, "end_turn");
});
