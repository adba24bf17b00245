import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";

const UPSTREAMS = '{"local": {"url": "http://127.0.0.1:11434", "preset": "ollama"}}';

/** Bodies of a 404, and the message that the client receives. */
const ANSWERS: [body: string, message: string][] = [
  [
    "404 page not found",
    'Upstream "local" has no endpoint at its URL, which usually ends in /v1: 404 page not found',
  ],
  [
    "",
    'Upstream "local" has no endpoint at its URL, which usually ends in /v1: Upstream returned 404 without a message',
  ],
  ['{"error": {"message": "model \\"x\\" not found"}}', 'model "x" not found'],
];

for (const [body, message] of ANSWERS) {
  test(`POST /v1/messages returns 404 with a message for ${body || "an empty body"}`, async () => {
    const headers = { "content-type": "text/plain" };
    const gateway = createTestGateway({ settings: { UPSTREAMS }, upstream: { status: 404, headers, body } });
    const response = await gateway.post(minimalRequest("chat", { model: "local/x" }));
    const { error } = await response.json();
    assert.deepEqual([response.status, error.type, error.message], [404, "not_found_error", message]);
  });
}
