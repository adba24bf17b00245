import assert from "node:assert/strict";
import { test } from "node:test";
import type { Preset } from "../../lib/config/presets.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { asJson, count, type Json } from "../kit/json.ts";
import { writeChunks } from "../kit/streams.ts";
import { FakeUpstream } from "../kit/upstream.ts";

const TEXT = "The bees of the third hive came home late, and nobody had counted them. ".repeat(60);
const REQUEST = { model: "acme/talker-1", messages: [{ role: "user", content: TEXT }] };

const path = "/v1/messages/count_tokens";

/** Writes an answer whose upstream reports this number of input tokens. */
function writeAnswer(prompt_tokens: number): string {
  return writeChunks(
    { choices: [{ index: 0, delta: { content: "Late." }, finish_reason: "stop" }] },
    { choices: [], usage: { prompt_tokens, completion_tokens: 3 } },
  );
}

async function countWith(gateway: TestGateway, request: Json = REQUEST) {
  const response = await gateway.post(request, { path });
  const body = asJson(await response.json());
  assert.deepEqual(Object.keys(body), ["input_tokens"]);
  const { headers } = response;
  return {
    tokens: count(body.input_tokens),
    source: headers.get("x-token-count-source"),
    cost: headers.get("x-token-count-cost"),
  };
}

test("POST /v1/messages/count_tokens learns from the answers of the same model", async () => {
  const reported = 1200;
  const gateway = createTestGateway({ upstream: { body: writeAnswer(reported) } });
  const { clock, upstream } = gateway;
  const first = await countWith(gateway);
  assert.equal(first.source, "estimate");
  assert.equal(upstream.requests.length, 0, "the upstream receives no request");
  for (const stream of [true, false, true]) {
    const answer = await gateway.post({ ...REQUEST, max_tokens: 9, stream });
    await answer.text();
    clock.advance(10);
  }
  assert.deepEqual(await countWith(gateway), { tokens: reported, source: "learned;error=0.01", cost: null });
  assert.deepEqual(await countWith(gateway, { ...REQUEST, model: "acme/other" }), { ...first, cost: null });
  assert.equal(clock.waiting, 0, "no timer is left");
});

test("POST /v1/messages uses the learned count in message_start", async () => {
  const gateway = createTestGateway({ upstream: { body: writeAnswer(1200) } });
  const starts: number[] = [];
  for (let answer = 0; answer < 4; answer++) {
    const response = await gateway.post({ ...REQUEST, max_tokens: 9, stream: true });
    starts.push(Number(/"input_tokens":(\d+)/.exec(await response.text())?.[1]));
    gateway.clock.advance(10);
  }
  assert.notEqual(starts[0], 1200);
  assert.equal(starts[3], 1200);
});

test("POST /v1/messages/count_tokens returns the input's list price, if there is one", async () => {
  const models = [
    { id: "acme/talker-1", pricing: { prompt: "0.000003" } },
    { id: "acme/router", pricing: { prompt: "-1" } },
    { id: "acme/gift", pricing: { prompt: "0" } },
    {
      id: "acme/long",
      pricing: { prompt: "1", overrides: [{ min_prompt_tokens: 10, prompt: "0.0000005" }] },
    },
  ];
  const upstream = new FakeUpstream({}, { models: JSON.stringify({ data: models }) });
  const gateway = createTestGateway({ upstream });
  const { tokens, cost } = await countWith(gateway);
  assert.equal(Number(cost), Math.round(tokens * 3) / 1e6);
  assert.match(cost ?? "", /^0\.00\d+[1-9]$/);
  assert.equal((await countWith(gateway, { ...REQUEST, model: "acme/router" })).cost, null);
  assert.equal((await countWith(gateway, { ...REQUEST, model: "acme/gift" })).cost, "0");
  assert.equal((await countWith(gateway, { ...REQUEST, model: "acme/long" })).cost, String(tokens * 5 / 1e7));
});

/** Counts with a gateway that has an Anthropic-compatible upstream of this preset. */
function countAt(preset: Preset | "anthropic", upstream: FakeUpstream, request: Json): Promise<Response> {
  const claude = { url: "https://claude.test/v1", key: "sk-own", dialect: "anthropic", preset } as const;
  const headers = { "anthropic-beta": "context-1m", "x-claude-code-session-id": "s1" };
  return createTestGateway({ upstream, settings: { UPSTREAMS: { claude } } })
    .post({ ...request, model: `claude/${request.model}` }, { path, headers });
}

const OWN = {
  model: "claude-opus-5-5",
  system: [{ type: "text", text: "x-anthropic-billing-header: cc=1" }, { type: "text", text: "Count." }],
  messages: [{ role: "user", content: "How many bees?" }],
  future_field: { kept: true },
};

test("POST /v1/messages/count_tokens calls local upstreams that can count", async () => {
  for (const preset of ["vllm", "llamacpp"] as const) {
    const body = '{"input_tokens":77,"context_management":{"original_input_tokens":77}}';
    const upstream = new FakeUpstream({ body, headers: { "content-type": "application/json" } });
    const response = await countAt(preset, upstream, OWN);
    assert.deepEqual(await response.json(), { input_tokens: 77 });
    assert.equal(response.headers.get("x-token-count-source"), "upstream");
    // The billing block is not sent to other upstreams.
    assert.deepEqual(upstream.requests[0]?.body.system, [{ type: "text", text: "Count." }]);
  }
});

test("POST /v1/messages/count_tokens keeps context_management, in the request and in the answer", async () => {
  const upstream = new FakeUpstream({
    body: '{"input_tokens":77,"context_management":{"original_input_tokens":99}}',
    headers: { "content-type": "application/json", "request-id": "req_upstream" },
  });
  const context_management = { edits: [{ type: "clear_tool_uses_20250919" }] };
  const response = await countAt("anthropic", upstream, { ...OWN, context_management });
  assert.deepEqual(await response.json(), {
    input_tokens: 77,
    context_management: { original_input_tokens: 99 },
  });
  assert.deepEqual(upstream.requests[0]?.body.context_management, context_management);
  assert.equal(response.headers.get("x-upstream-request-id"), "req_upstream");
});

test("POST /v1/messages/count_tokens calls an upstream that can count", async () => {
  const upstream = new FakeUpstream({
    body: '{"input_tokens":77}',
    headers: { "content-type": "application/json" },
  });
  const response = await countAt("anthropic", upstream, OWN);
  assert.deepEqual(await response.json(), { input_tokens: 77 });
  assert.equal(response.headers.get("x-token-count-source"), "upstream");
  const [sent, ...more] = upstream.requests;
  assert.deepEqual(more, []);
  assert.equal(sent?.url, "https://claude.test/v1/messages/count_tokens");
  assert.equal(sent?.headers.get("x-api-key"), "sk-own");
  assert.equal(sent?.headers.get("anthropic-beta"), "context-1m");
  const body = sent?.body ?? {};
  assert.deepEqual(Object.keys(body).sort(), ["future_field", "messages", "model", "system"]);
  assert.deepEqual(body.future_field, { kept: true });
});

const FAILURES: Record<string, { body: string; status?: number; headers?: Record<string, string> }> = {
  "refuses": { body: '{"error":{"message":"no such endpoint"}}', status: 404 },
  "answers no JSON": { body: "<html>" },
  "returns a count of 0": { body: '{"input_tokens":0}' },
  "returns a text as its count": { body: '{"input_tokens":"many"}' },
  "answers a list": { body: "[]" },
};
for (const [what, answer] of Object.entries(FAILURES)) {
  test(`POST /v1/messages/count_tokens returns the estimate if the upstream ${what}`, async () => {
    const upstream = new FakeUpstream(answer);
    const response = await countAt("anthropic", upstream, OWN);
    const body = asJson(await response.json());
    assert.equal(upstream.requests.length, 1);
    assert.equal(response.headers.get("x-token-count-source"), "estimate");
    assert.ok(count(body.input_tokens) > 5, JSON.stringify(body));
  });
}

test("POST /v1/messages/count_tokens calls no upstream that cannot count", async () => {
  const upstream = new FakeUpstream({ body: '{"input_tokens":77}' });
  const response = await countAt("other", upstream, OWN);
  assert.equal(response.headers.get("x-token-count-source"), "estimate");
  assert.deepEqual(upstream.requests, []);
});
