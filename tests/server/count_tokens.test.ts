import assert from "node:assert/strict";
import { test } from "node:test";
import { createGateway, type Gateway } from "../../lib/gateway.ts";
import type { Preset } from "../../lib/config/presets.ts";
import { FakeClock } from "../kit/clock.ts";
import { count, isJson, type Json } from "../kit/json.ts";
import { createUpstream, type FakeUpstream } from "../kit/upstream.ts";

const WORDS = "The bees of the third hive came home late, and nobody had counted them. ".repeat(60);
const ASKED = { model: "acme/talker-1", messages: [{ role: "user", content: WORDS }] };

/** The answer of an upstream that counts so many tokens for whatever it is asked. */
function reporting(prompt_tokens: number): string {
  const chunks = [
    { choices: [{ index: 0, delta: { content: "Late." }, finish_reason: "stop" }] },
    { choices: [], usage: { prompt_tokens, completion_tokens: 3 } },
  ];
  return [...chunks.map((chunk) => JSON.stringify(chunk)), "[DONE]"].map((data) => `data: ${data}\n\n`).join(
    "",
  );
}

function post(gateway: Gateway, path: string, body: Json): Promise<Response> {
  return gateway.fetch(
    new Request(`http://gateway.test${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

async function countWith(gateway: Gateway, asked: Json = ASKED) {
  const response = await post(gateway, "/v1/messages/count_tokens", asked);
  const body: unknown = await response.json();
  assert.ok(isJson(body));
  assert.deepEqual(Object.keys(body), ["input_tokens"]);
  const { headers } = response;
  return {
    tokens: count(body.input_tokens),
    source: headers.get("x-token-count-source"),
    cost: headers.get("x-token-count-cost"),
  };
}

test("count_tokens learns from the answers of a model, streamed or not, and of that model alone", async () => {
  const clock = new FakeClock();
  const reported = 1200;
  const { fetch, sent } = createUpstream({ body: reporting(reported) });
  const gateway = createGateway({ settings: { OPENROUTER_API_KEY: "sk-or-test" }, fetch, clock });
  const first = await countWith(gateway);
  assert.equal(first.source, "estimate");
  assert.equal(sent.length, 0, "nobody is asked for it");
  for (const stream of [true, false, true]) {
    const answer = await post(gateway, "/v1/messages", { ...ASKED, max_tokens: 9, stream });
    await answer.text();
    clock.advance(10);
  }
  assert.deepEqual(await countWith(gateway), { tokens: reported, source: "learned;error=0.01", cost: null });
  assert.deepEqual(await countWith(gateway, { ...ASKED, model: "acme/other" }), { ...first, cost: null });
  assert.equal(clock.waiting, 0, "no timer is left");
});

test("the start of a message says what was learned, too", async () => {
  const clock = new FakeClock();
  const { fetch } = createUpstream({ body: reporting(1200) });
  const gateway = createGateway({ settings: { OPENROUTER_API_KEY: "sk-or-test" }, fetch, clock });
  const starts: number[] = [];
  for (let answer = 0; answer < 4; answer++) {
    const response = await post(gateway, "/v1/messages", { ...ASKED, max_tokens: 9, stream: true });
    starts.push(Number(/"input_tokens":(\d+)/.exec(await response.text())?.[1]));
    clock.advance(10);
  }
  assert.notEqual(starts[0], 1200);
  assert.equal(starts[3], 1200);
});

test("count_tokens says what the input costs by list price, where there is one", async () => {
  const models = [
    { id: "acme/talker-1", pricing: { prompt: "0.000003" } },
    { id: "acme/router", pricing: { prompt: "-1" } },
    { id: "acme/gift", pricing: { prompt: "0" } },
    {
      id: "acme/long",
      pricing: { prompt: "1", overrides: [{ min_prompt_tokens: 10, prompt: "0.0000005" }] },
    },
  ];
  const { fetch } = createUpstream({ body: "", models: JSON.stringify({ data: models }) });
  const gateway = createGateway({ settings: { OPENROUTER_API_KEY: "k" }, fetch, clock: new FakeClock() });
  const { tokens, cost } = await countWith(gateway);
  assert.equal(Number(cost), Math.round(tokens * 3) / 1e6);
  assert.match(cost ?? "", /^0\.00\d+[1-9]$/);
  assert.equal((await countWith(gateway, { ...ASKED, model: "acme/router" })).cost, null);
  assert.equal((await countWith(gateway, { ...ASKED, model: "acme/gift" })).cost, "0");
  assert.equal((await countWith(gateway, { ...ASKED, model: "acme/long" })).cost, String(tokens * 5 / 1e7));
});

/** Asks a gateway that knows an upstream which speaks Anthropic's language, and counts by itself if that is its habit. */
function countAt(preset: Preset | "anthropic", { fetch }: FakeUpstream, asked: Json): Promise<Response> {
  const claude = { url: "https://claude.test/v1", key: "sk-own", dialect: "anthropic", preset } as const;
  const settings = { OPENROUTER_API_KEY: "sk-or-test", UPSTREAMS: { claude } };
  const gateway = createGateway({ settings, fetch, clock: new FakeClock() });
  const request = new Request("http://gateway.test/v1/messages/count_tokens", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "anthropic-beta": "context-1m",
      "x-claude-code-session-id": "s1",
    },
    body: JSON.stringify({ ...asked, model: `claude/${asked.model}` }),
  });
  return gateway.fetch(request);
}

const OWN = {
  model: "claude-opus-5-5",
  system: [{ type: "text", text: "x-anthropic-billing-header: cc=1" }, { type: "text", text: "Count." }],
  messages: [{ role: "user", content: "How many bees?" }],
  future_field: { kept: true },
};

test("count_tokens asks the hosts of one's own machine that can count themselves", async () => {
  for (const preset of ["vllm", "llamacpp"] as const) {
    const body = '{"input_tokens":77,"context_management":{"original_input_tokens":77}}';
    const upstream = createUpstream({ body, headers: { "content-type": "application/json" } });
    const response = await countAt(preset, upstream, OWN);
    assert.deepEqual(await response.json(), { input_tokens: 77 });
    assert.equal(response.headers.get("x-token-count-source"), "upstream");
    // The billing block is none of their business.
    assert.deepEqual(upstream.sent[0]?.body?.system, [{ type: "text", text: "Count." }]);
  }
});

test("count_tokens asks the upstream that can count itself", async () => {
  const upstream = createUpstream({
    body: '{"input_tokens":77}',
    headers: { "content-type": "application/json" },
  });
  const response = await countAt("anthropic", upstream, OWN);
  assert.deepEqual(await response.json(), { input_tokens: 77 });
  assert.equal(response.headers.get("x-token-count-source"), "upstream");
  const [sent, ...more] = upstream.sent;
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
  "counts nothing": { body: '{"input_tokens":0}' },
  "counts in words": { body: '{"input_tokens":"many"}' },
  "answers a list": { body: "[]" },
};
for (const [what, answer] of Object.entries(FAILURES)) {
  test(`count_tokens falls back to the estimate where the upstream ${what}`, async () => {
    const upstream = createUpstream(answer);
    const response = await countAt("anthropic", upstream, OWN);
    const told: unknown = await response.json();
    assert.equal(upstream.sent.length, 1);
    assert.equal(response.headers.get("x-token-count-source"), "estimate");
    assert.ok(isJson(told) && count(told.input_tokens) > 5, JSON.stringify(told));
  });
}

test("count_tokens asks nobody who was not said to count", async () => {
  const upstream = createUpstream({ body: '{"input_tokens":77}' });
  const response = await countAt("other", upstream, OWN);
  assert.equal(response.headers.get("x-token-count-source"), "estimate");
  assert.deepEqual(upstream.sent, []);
});
