import assert from "node:assert/strict";
import { test } from "node:test";
import { LossReport } from "../../lib/dialects/loss.ts";
import { createTestGateway } from "../kit/gateway.ts";
import type { Json } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";

const upstream = { body: COMPLETE_STREAMS.chat };
const STRICT = { VALIDATION: "strict" };

function toRequest(fields: Json): Json {
  return minimalRequest("chat", fields);
}

test("POST /v1/messages lists the losses of a request in x-gateway-loss", async () => {
  const body = toRequest({ container: "c", service_tier: "auto" });
  const gateway = createTestGateway({ upstream });
  const response = await gateway.post(body, { headers: { "anthropic-beta": "a-2026-01-01" } });
  assert.equal(response.status, 200);
  const lost = "container;dropped,service_tier;dropped,header.anthropic-beta;dropped";
  assert.equal(response.headers.get("x-gateway-loss"), lost);
});

test("VALIDATION=strict rejects a request with losses before it calls the upstream, and names each loss", async () => {
  const gateway = createTestGateway({ upstream, settings: STRICT });
  const response = await gateway.post(toRequest({ container: "c", service_tier: "auto" }));
  const { error } = await response.json();
  assert.equal(response.status, 400);
  assert.equal(error.type, "invalid_request_error");
  assert.match(error.message, /: container \(dropped\), service_tier \(dropped\)$/);
  assert.deepEqual(gateway.upstream.requests, []);
});

const SERVED: [what: string, fields: Json][] = [
  ["loses nothing", {}],
  ["has an image in a tool result, which is only put elsewhere", {
    messages: [
      { role: "user", content: "Look" },
      { role: "assistant", content: [{ type: "tool_use", id: "call_1", name: "look", input: {} }] },
      {
        role: "user",
        content: [{
          type: "tool_result",
          tool_use_id: "call_1",
          content: [{ type: "image", source: { type: "url", url: "https://example.com/a.png" } }],
        }],
      },
    ],
  }],
  ["has Claude Code's billing block", {
    system: [{ type: "text", text: "x-anthropic-billing-header: cc_version=1;" }, {
      type: "text",
      text: "Be kind",
    }],
  }],
  ["has an id that is not valid for each host", {
    messages: [
      { role: "user", content: "Go" },
      { role: "assistant", content: [{ type: "tool_use", id: "functions.go:0", name: "go", input: {} }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "functions.go:0", content: "Gone" }] },
    ],
  }],
];

for (const [what, fields] of SERVED) {
  test(`VALIDATION=strict accepts a request that ${what}`, async () => {
    const response = await createTestGateway({ upstream, settings: STRICT }).post(toRequest(fields));
    assert.equal(response.status, 200, await response.text());
  });
}

test("LossReport.toHeader() ends with the number of omitted losses past 6 kB", () => {
  const loss = new LossReport();
  for (let at = 0; at < 1000; at++) loss.add(`messages.${at}.content.0`, "dropped");
  const items = (loss.toHeader() ?? "").split(",");
  const [more, left] = (items.at(-1) ?? "").split(";");
  assert.equal(more, "more");
  assert.equal(items.length - 1 + Number(left), 1000);
});
