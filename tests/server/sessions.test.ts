import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createPushStream, toBytes } from "../kit/bytes.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { writeChunks, writeDelta } from "../kit/streams.ts";

const [ALICE, BOB] = ["alice-0123456789abcdef", "bob-0123456789abcdef"];
const usage = {
  prompt_tokens: 1500,
  completion_tokens: 5,
  cost: 0.25,
  prompt_tokens_details: { cached_tokens: 500 },
};
const body = writeChunks({ choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }] }, {
  choices: [],
  usage,
});
const settings = {
  GATEWAY_API_KEYS: `alice:${ALICE},bob:${BOB}`,
  LIMITS: { each: { usd_day: 5, requests: 10 }, session: { usd_month: 2 }, total: { usd_day: 100 } },
  MODEL_MAP: { main: "vendor/large" },
};

async function createGatewayWithSession() {
  const gateway = createTestGateway({ settings, upstream: { body } });
  for (const [model, session] of [["main", "one"], ["vendor/model", "one"], ["main", "two"]]) {
    const headers = { "x-api-key": ALICE, "x-claude-code-session-id": session ?? "" };
    await (await gateway.post(minimalRequest("chat", { model }), { headers })).text();
  }
  return gateway;
}

test("GET /v1/sessions/{id} has the models, tokens, cost and limits of a session", async () => {
  const gateway = await createGatewayWithSession();
  const session = await (await gateway.get("/v1/sessions/one", { "x-api-key": ALICE })).json();
  const use = {
    requests: 1,
    input_tokens: 1000,
    output_tokens: 5,
    cache_read_input_tokens: 500,
    cost_usd: 0.25,
  };
  const limits = session.limits.map((
    { scope, limit, used, left }: Record<string, unknown>,
  ) => [
    scope,
    limit,
    ...[used, left].map((amount) => Math.round(Number(amount) * 100) / 100),
  ]);
  assert.deepEqual({ ...session, limits }, {
    id: "one",
    type: "session",
    started_at: "2026-01-01T00:00:00.000Z",
    last_at: "2026-01-01T00:00:00.000Z",
    requests: 2,
    failed: 0,
    answered_by: "openrouter/vendor/model",
    usage: { input_tokens: 2000, output_tokens: 10, cache_read_input_tokens: 1000, cost_usd: 0.5 },
    models: [
      { model: "main", answered_by: "openrouter/vendor/large", ...use },
      { model: "vendor/model", answered_by: "openrouter/vendor/model", ...use },
    ],
    limits: [
      ["key", "usd_day", 0.75, 4.25],
      ["key", "requests", 3, 7],
      ["session", "usd_month", 0.5, 1.5],
    ],
  });
});

test("GET /v1/sessions/{id} has the cost of an answer that ends after its client has left", async () => {
  const { readable, write, close } = createPushStream();
  const gateway = createTestGateway({ settings, upstream: { body: readable } });
  const headers = { "x-api-key": ALICE, "x-claude-code-session-id": "one" };
  const costOf = async () =>
    (await (await gateway.get("/v1/sessions/one", { "x-api-key": ALICE })).json()).usage.cost_usd;
  const answer = gateway.post(minimalRequest("chat", { stream: true }), { headers });
  write(toBytes(writeDelta({ content: "Once" })));
  const reader = (await answer).body?.getReader();
  await reader?.read();
  await reader?.cancel();
  assert.equal(await costOf(), 0);
  write(toBytes(body));
  close();
  while (!gateway.upstream.idle) await setImmediate();
  await setImmediate();
  assert.equal(await costOf(), 0.25);
});

test("GET /v1/sessions/{id} returns one line for a status line", async () => {
  const gateway = await createGatewayWithSession();
  const headers = { "x-api-key": ALICE, accept: "text/plain" };
  for (const [query, model] of [["?model=main", "large"], ["?model=other", "model"], ["", "model"]]) {
    const response = await gateway.get(`/v1/sessions/one${query}`, headers);
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(
      await response.text(),
      `openrouter/vendor/${model} · 3.0k in, 10 out · $0.50 · $4.25 left today · $1.50 left this month for this session\n`,
    );
  }
});

for (const [id, key] of [["one", BOB], ["three", ALICE], ["a%2Fb", ALICE]]) {
  test(`GET /v1/sessions/${id} answers 404 if it is not a session of the key`, async () => {
    const gateway = await createGatewayWithSession();
    const response = await gateway.get(`/v1/sessions/${id}`, { "x-api-key": key ?? "" });
    assert.equal(response.status, 404);
    assert.equal((await response.json()).error.type, "not_found_error");
  });
}

test("GET /v1/sessions/{id} is not charged", async () => {
  const gateway = await createGatewayWithSession();
  const read = async () =>
    (await (await gateway.get("/v1/sessions/one", { "x-api-key": ALICE })).json()).limits;
  const before = await read();
  for (let nth = 0; nth < 20; nth++) await read();
  assert.deepEqual(await read(), before);
});
