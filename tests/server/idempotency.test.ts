import assert from "node:assert/strict";
import { test } from "node:test";
import { nextTask } from "../../lib/runtime/next_task.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeDelta } from "../kit/streams.ts";

const KEYED = { headers: { "idempotency-key": "order-1" } };
const REQUEST = minimalRequest("chat");
const STREAMED = minimalRequest("chat", { stream: true });

test("idempotency-key: a repeat receives the finished answer, and the upstream receives one request", async () => {
  for (const body of [REQUEST, STREAMED]) {
    const gateway = createTestGateway({ upstream: { body: COMPLETE_STREAMS.chat } });
    const first = await gateway.post(body, KEYED);
    const text = await first.text();
    assert.match(text, /Hi/);
    const second = await gateway.post(body, KEYED);
    assert.equal(await second.text(), text);
    assert.equal(second.headers.get("content-type"), first.headers.get("content-type"));
    assert.equal(second.headers.get("x-gateway-model"), first.headers.get("x-gateway-model"));
    assert.notEqual(second.headers.get("request-id"), first.headers.get("request-id"));
    assert.equal(gateway.upstream.requests.length, 1);
  }
});

test("idempotency-key: a repeat joins the running answer from its start", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const write = (text: string) => writer.write(new TextEncoder().encode(text));
  const gateway = createTestGateway({ upstream: { body: readable } });
  const first = gateway.post(STREAMED, KEYED);
  await write(writeDelta({ content: "one " }));
  const reader = (await first).body?.getReader();
  assert.match(new TextDecoder().decode((await reader?.read())?.value), /message_start/);
  const second = await gateway.post(STREAMED, KEYED);
  await reader?.cancel();
  await write(writeDelta({ content: "two" }, { finish_reason: "stop" }));
  await writer.close();
  const text = await second.text();
  assert.match(text, /one [\s\S]*two[\s\S]*message_stop/);
  assert.equal(gateway.upstream.requests.length, 1);
  assert.equal(await (await gateway.post(STREAMED, KEYED)).text(), text);
});

test("idempotency-key: a client that disconnects does not cancel the answer", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const gateway = createTestGateway({ upstream: { body: readable } });
  const client = new AbortController();
  const left = gateway.post(REQUEST, { ...KEYED, signal: client.signal });
  await writer.write(new TextEncoder().encode(writeDelta({ content: "half" })));
  while (gateway.upstream.requests.length === 0) await nextTask();
  client.abort();
  const repeat = gateway.post(REQUEST, KEYED);
  await writer.write(new TextEncoder().encode(writeDelta({ content: " whole" }, { finish_reason: "stop" })));
  await writer.close();
  assert.match(await (await repeat).text(), /half whole/);
  await (await left).body?.cancel();
  assert.equal(gateway.upstream.requests.length, 1);
});

test("idempotency-key: another body is a conflict_error, the same JSON in another order is not", async () => {
  const gateway = createTestGateway({ upstream: { body: COMPLETE_STREAMS.chat } });
  const text = await (await gateway.post(REQUEST, KEYED)).text();
  const reordered = `{ "messages": [ {"content": "Hi", "role": "user"} ], "max_tokens": 64.0, "model": ${
    JSON.stringify(REQUEST.model)
  } }`;
  assert.equal(await (await gateway.post(reordered, KEYED)).text(), text);
  for (const [body, path] of [[{ ...REQUEST, max_tokens: 65 }], [REQUEST, "/v1/messages/stream"]] as const) {
    const other = await gateway.post(body, { ...KEYED, ...(path && { path }) });
    assert.equal(other.status, 409);
    assert.equal(other.headers.get("x-should-retry"), "false");
    assert.equal((await other.json()).error.type, "conflict_error");
  }
  assert.equal(gateway.upstream.requests.length, 1);
});

test("idempotency-key: clients with different keys have different answers", async () => {
  const cases: [settings: Record<string, string | undefined>, keys: [string, string]][] = [
    [{ GATEWAY_API_KEYS: "alice:key-of-alice-123456,bob:key-of-bob-12345678" }, [
      "key-of-alice-123456",
      "key-of-bob-12345678",
    ]],
    [{ OPENROUTER_API_KEY: undefined }, ["sk-or-one", "sk-or-two"]],
  ];
  for (const [settings, keys] of cases) {
    const gateway = createTestGateway({ settings, upstream: { body: COMPLETE_STREAMS.chat } });
    for (const key of [...keys, ...keys]) {
      const headers = { ...KEYED.headers, "x-api-key": key };
      assert.equal((await gateway.post(REQUEST, { headers })).status, 200);
    }
    assert.equal(gateway.upstream.requests.length, 2);
  }
});

test("idempotency-key: a failure before the first byte is not kept", async () => {
  const gateway = createTestGateway({
    upstream: [{ status: 500, body: "{}" }, { body: COMPLETE_STREAMS.chat }],
  });
  assert.equal((await gateway.post(REQUEST, KEYED)).status >= 500, true);
  assert.equal((await gateway.post({ ...REQUEST, max_tokens: 65 }, KEYED)).status, 200);
  assert.equal(gateway.upstream.requests.length, 2);
});

test("idempotency-key: an answer that failed in mid-stream is repeated unchanged", async () => {
  const gateway = createTestGateway({ upstream: { body: writeDelta({ content: "cut" }), ending: "reset" } });
  const text = await (await gateway.post(STREAMED, KEYED)).text();
  assert.match(text, /cut[\s\S]*event: error/);
  assert.equal(await (await gateway.post(STREAMED, KEYED)).text(), text);
  assert.equal(gateway.upstream.requests.length, 1);
});

test("idempotency-key: an answer in memory is kept for a day", async () => {
  const gateway = createTestGateway({ upstream: () => ({ body: COMPLETE_STREAMS.chat }) });
  for (const [ms, requests] of [[0, 1], [86_399_999, 1], [1, 2]] as const) {
    gateway.clock.advance(ms);
    await (await gateway.post(REQUEST, KEYED)).text();
    assert.equal(gateway.upstream.requests.length, requests);
  }
});

test("idempotency-key: a repeat needs no free concurrency slot", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const gateway = createTestGateway({
    settings: { LIMITS: { each: { concurrent: 1 } } },
    upstream: { body: readable },
  });
  const first = gateway.post(REQUEST, KEYED);
  while (gateway.upstream.requests.length === 0) await nextTask();
  const repeat = gateway.post(REQUEST, KEYED);
  assert.equal((await gateway.post(REQUEST)).status, 429);
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(COMPLETE_STREAMS.chat));
  await writer.close();
  assert.deepEqual([(await first).status, (await repeat).status], [200, 200]);
  assert.equal(gateway.upstream.requests.length, 1);
});

test("idempotency-key: a key that is too long or not ASCII is a 400", async () => {
  const gateway = createTestGateway();
  for (const key of ["x".repeat(256), "caf\u00e9"]) {
    const response = await gateway.post(REQUEST, { headers: { "idempotency-key": key } });
    assert.equal(response.status, 400);
    assert.match((await response.json()).error.message, /^idempotency-key: /);
  }
  assert.equal(gateway.upstream.requests.length, 0);
});

test("idempotency-key: a kept or running answer is forbidden once the key may not use its model", async () => {
  const keys = { GATEWAY_API_KEYS: "alice:key-of-alice-123456" };
  const headers = { ...KEYED.headers, "x-api-key": "key-of-alice-123456" };
  for (const body of [REQUEST, { ...STREAMED, models: ["vendor/other"] }]) {
    const gateway = createTestGateway({ settings: keys, upstream: { body: COMPLETE_STREAMS.chat } });
    const text = await (await gateway.post(body, { headers })).text();
    const statusOf = async (patterns: string[]) => {
      gateway.reload({ ...keys, MODEL_ACCESS: { alice: patterns } });
      const repeat = await gateway.post(body, { headers });
      return [repeat.status, await repeat.text() === text];
    };
    assert.deepEqual(await statusOf(["vendor/*"]), [200, true]);
    assert.deepEqual(await statusOf(["openai/*"]), [403, false]);
    assert.equal(gateway.upstream.requests.length, 1);
  }
});

test("idempotency-key: the onRequest hook can reject the repeat of a kept answer", async () => {
  let refuses = false;
  const gateway = createTestGateway({
    upstream: { body: COMPLETE_STREAMS.chat },
    hooks: { onRequest: () => refuses ? { refuse: "Not today" } : undefined },
  });
  assert.equal((await gateway.post(REQUEST, KEYED)).status, 200);
  refuses = true;
  assert.equal((await gateway.post(REQUEST, KEYED)).status, 403);
});
