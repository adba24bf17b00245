import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hooks, RequestDecision, ResponseEvent } from "../../lib/server/hooks.ts";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { COMPLETE_STREAMS, writeDelta } from "../kit/streams.ts";

const MESSAGE = { model: "openai/gpt-5", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
const OTHER = { ...MESSAGE, messages: [{ role: "user", content: "Bye" }] };
const never = () => new Promise<never>(() => {});

/** Hooks `onRequest`, and the status with the error, or with the model and text that the upstream receives. */
const DECISIONS: [name: string, onRequest: Hooks["onRequest"], expected: unknown[]][] = [
  ["decides nothing", () => undefined, [200, "openai/gpt-5", "Hello"]],
  ["chooses a model", () => Promise.resolve({ model: "openai/gpt-6" }), [200, "openai/gpt-6", "Hello"]],
  ["rewrites the request", () => ({ message: OTHER }), [200, "openai/gpt-5", "Bye"]],
  ["refuses", () => ({ refuse: "Not today" }), [403, "permission_error", "Not today", "false"]],
  ["returns the request unchanged", ({ message }) => ({ message }), [200, "openai/gpt-5", "Hello"]],
  ["changes the request in place", ({ message }) => {
    Object.assign(message, { model: 5 });
    return undefined;
  }, [500, "api_error", "Cannot answer: the hook onRequest failed", "false"]],
  ["returns no decision", () => JSON.parse("null"), [
    500,
    "api_error",
    "Cannot answer: the hook onRequest returned no decision",
    "false",
  ]],
  ["throws", () => {
    throw new Error("secret");
  }, [500, "api_error", "Cannot answer: the hook onRequest failed", "false"]],
  ["returns an invalid request", () => ({ message: { ...MESSAGE, max_tokens: -1 } }), [
    500,
    "api_error",
    "Cannot answer: the hook onRequest returned a request that is not valid",
    "false",
  ]],
];

for (const [name, onRequest, expected] of DECISIONS) {
  test(`POST /v1/messages with a hook onRequest that ${name}`, async () => {
    const gateway = createTestGateway({
      hooks: { ...(onRequest && { onRequest }) },
      upstream: { body: COMPLETE_STREAMS.chat },
    });
    const response = await gateway.post(MESSAGE);
    const { error } = await response.json();
    const [sent] = gateway.upstream.requests;
    const messages: unknown = sent?.body["messages"];
    const content = Array.isArray(messages) ? messages.at(-1).content : undefined;
    const found = error === undefined
      ? [response.status, sent?.body["model"], content]
      : [response.status, error.type, error.message, response.headers.get("x-should-retry")];
    assert.deepEqual(found, expected);
  });
}

test("onRequest receives the request, the client's name and an id", async () => {
  const seen: unknown[] = [];
  const gateway = createTestGateway({
    settings: { GATEWAY_API_KEYS: "alice:alice-0123456789abcdef" },
    hooks: {
      onRequest({ client, message, requestId }): RequestDecision | undefined {
        seen.push(client, message, requestId);
        return undefined;
      },
    },
    upstream: { body: COMPLETE_STREAMS.chat },
  });
  const response = await gateway.post(MESSAGE, { headers: { "x-api-key": "alice-0123456789abcdef" } });
  assert.deepEqual(seen, ["alice", MESSAGE, response.headers.get("request-id")]);
});

test("POST /v1/messages fails if onRequest exceeds its time, and aborts the hook's signal", async () => {
  const clock = new FakeClock();
  let aborted = false;
  let onCalled = () => {};
  const called = new Promise<void>((resolve) => onCalled = resolve);
  const gateway = createTestGateway({
    clock,
    hooks: {
      timeoutMs: 50,
      onRequest({ signal }) {
        signal.addEventListener("abort", () => aborted = true);
        onCalled();
        return never();
      },
    },
  });
  const answer = gateway.post(MESSAGE);
  await called;
  clock.advance(50);
  const response = await answer;
  const { error } = await response.json();
  assert.deepEqual([response.status, error.type, aborted], [504, "timeout_error", true]);
  assert.equal(error.message, "Cannot answer: the hook onRequest took more than 50 ms");
  assert.equal(gateway.upstream.requests.length, 0);
});

for (const stream of [true, false]) {
  const when = stream ? "a streamed answer" : "an answer";

  test(`onResponse receives ${when} before its end is sent`, async () => {
    const events: ResponseEvent[] = [];
    const gateway = createTestGateway({
      hooks: { onResponse: async (event) => void await Promise.resolve().then(() => events.push(event)) },
      upstream: { body: COMPLETE_STREAMS.chat },
    });
    const response = await gateway.post({ ...MESSAGE, stream });
    await response.text();
    const [event] = events;
    assert.equal(events.length, 1);
    assert.deepEqual([event?.outcome, event?.client, event?.milliseconds, event?.error], [
      "finished",
      "local",
      0,
      undefined,
    ]);
    assert.equal(event?.requestId, response.headers.get("request-id"));
    assert.equal(event?.message?.content[0]?.["text"], "Hi");
    assert.equal(event?.message?.stop_reason, "end_turn");
  });

  test(`onResponse receives the error of ${when} that failed`, async () => {
    const events: ResponseEvent[] = [];
    const gateway = createTestGateway({
      hooks: { onResponse: (event) => void events.push(event) },
      upstream: { body: writeDelta({ content: "Hi" }), ending: "reset" },
    });
    await (await gateway.post({ ...MESSAGE, stream })).text();
    assert.deepEqual(events.map(({ outcome, error, message }) => [outcome, error?.type, message]), [
      ["failed", "api_error", undefined],
    ]);
  });
}

test("onResponse receives the outcome `left` if the client disconnects", async () => {
  const events: ResponseEvent[] = [];
  const gateway = createTestGateway({
    hooks: { onResponse: (event) => void events.push(event) },
    upstream: { body: writeDelta({ content: "Hi" }), ending: "open" },
  });
  const response = await gateway.post({ ...MESSAGE, stream: true });
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  assert.deepEqual(events.map(({ outcome }) => outcome), ["left"]);
});

/** Failing hooks. */
const BROKEN: Record<string, (clock: FakeClock) => Promise<void>> = {
  "throws": () => Promise.reject(new Error("broken")),
  "never ends": (clock) => {
    queueMicrotask(() => clock.advance(10_000));
    return never();
  },
};

for (const [name, fail] of Object.entries(BROKEN)) {
  test(`an answer is not changed by a hook onResponse that ${name}`, async () => {
    const clock = new FakeClock();
    const hooks = { onResponse: () => fail(clock) };
    const gateway = createTestGateway({ clock, hooks, upstream: { body: COMPLETE_STREAMS.chat } });
    const response = await gateway.post({ ...MESSAGE, stream: true });
    assert.match(await response.text(), /event: message_stop\n.*\n\n$/);
  });
}
