import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import type { LimitsInput } from "../../lib/config/limits.ts";
import type { Settings } from "../../lib/config/settings.ts";
import { toBytes } from "../kit/bytes.ts";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { dig, type Json } from "../kit/json.ts";
import { API_SETTINGS, minimalRequest, UPSTREAM_APIS, type UpstreamApi } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, DONE, writeChunk, writeChunks, writeDelta, writeEvent } from "../kit/streams.ts";
import { type FakeReply, FakeUpstream } from "../kit/upstream.ts";

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
after(async () => {
  await settle();
  assert.deepEqual(unhandled, []);
});

const SECOND = 1000;

/** An answer of the upstream that a test writes piece by piece. */
class OpenAnswer {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly body = new ReadableStream<Uint8Array>({
    start: (controller) => void (this.#controller = controller),
  });

  write(...frames: string[]): void {
    for (const frame of frames) this.#controller?.enqueue(toBytes(frame));
  }

  close(): void {
    this.#controller?.close();
  }

  fail(): void {
    this.#controller?.error(new TypeError("terminated"));
  }
}

const START: Record<UpstreamApi, (text: string) => string[]> = {
  chat: (text) => [writeDelta({ content: text })],
  native: (text) => [
    writeEvent({
      type: "message_start",
      message: { id: "msg_1", usage: { input_tokens: 3, output_tokens: 1 } },
    }),
    writeEvent({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    writeEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
  ],
  responses: (text) => [
    writeEvent({
      type: "response.output_item.added",
      output_index: 0,
      item: { type: "message", id: "msg_1" },
    }),
    writeEvent({ type: "response.output_text.delta", output_index: 0, content_index: 0, delta: text }),
  ],
};

/** The rest of an answer, with its usage. */
const END: Record<UpstreamApi, string[]> = {
  chat: [
    writeDelta({ content: " and more" }, { finish_reason: "stop" }),
    writeChunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 400, cost: 0.5 } }),
    DONE,
  ],
  native: [
    writeEvent({ type: "content_block_stop", index: 0 }),
    writeEvent({
      type: "message_delta",
      delta: { stop_reason: "end_turn" },
      usage: { output_tokens: 400, cost: 0.5 },
    }),
    writeEvent({ type: "message_stop" }),
  ],
  responses: [
    writeEvent({
      type: "response.completed",
      response: {
        status: "completed",
        output: [],
        usage: { input_tokens: 3, output_tokens: 400, cost: 0.5 },
      },
    }),
  ],
};

interface AbandonedAnswer {
  gateway: TestGateway;
  upstream: FakeUpstream;
  answer: OpenAnswer;
}

interface AbandonOptions {
  limits: LimitsInput;
  text?: string;
  request?: Json;
  settings?: Settings;
  stream?: boolean;
}

/** Sends a message whose client disconnects after the first text. */
async function abandonAnswer(
  api: UpstreamApi,
  { limits, text = "Once", request = {}, settings = {}, stream = true }: AbandonOptions,
): Promise<AbandonedAnswer> {
  const answer = new OpenAnswer();
  const upstream = new FakeUpstream((nth): FakeReply => ({
    body: nth === 0 ? answer.body : COMPLETE_STREAMS[api],
  }));
  const clock = new FakeClock();
  const gateway = createTestGateway({
    settings: { LIMITS: limits, ...API_SETTINGS[api], ...settings },
    upstream,
    clock,
  });
  const client = new AbortController();
  const body = minimalRequest(api, { stream, max_tokens: 10_000, ...request });
  const pending = gateway.post(body, { signal: client.signal });
  await settle();
  answer.write(...START[api](text));
  if (stream) {
    const reader = (await pending).body?.getReader();
    await reader?.read();
    await reader?.cancel();
  } else {
    await settle();
    client.abort();
    assert.equal((await pending).status, 499);
  }
  await settle();
  return { gateway, upstream, answer };
}

/** Returns the output tokens that a key has used of its limit of 100,000 per minute. */
async function usedOutput({ gateway }: AbandonedAnswer, api: UpstreamApi): Promise<number> {
  const { headers } = await gateway.post(minimalRequest(api, {}));
  return 100_000 - Number(headers.get("anthropic-ratelimit-output-tokens-remaining"));
}

const METERED: LimitsInput = { each: { output_tokens: 100_000, usd_day: 1000 } };

for (const api of UPSTREAM_APIS) {
  for (const stream of [true, false]) {
    test(`LIMITS charges the usage that ${api} reports after the client disconnected, streamed: ${stream}`, async () => {
      const abandoned = await abandonAnswer(api, { limits: { each: { usd_day: 0.5 } }, stream });
      assert.equal(abandoned.upstream.idle, false);
      abandoned.answer.write(...END[api]);
      abandoned.answer.close();
      await settle();
      const response = await abandoned.gateway.post(minimalRequest(api, {}));
      assert.equal(response.status, 402);
    });
  }

  test(`LIMITS stops an answer of ${api} 10 s after its client disconnected, and charges an estimate`, async () => {
    const abandoned = await abandonAnswer(api, { limits: METERED, text: "蜂".repeat(100) });
    abandoned.gateway.clock.advance(9 * SECOND);
    await settle();
    assert.equal(abandoned.upstream.idle, false);
    abandoned.gateway.clock.advance(1 * SECOND);
    await settle();
    assert.equal(abandoned.upstream.idle, true);
    const used = await usedOutput(abandoned, api);
    assert.ok(used >= 100 && used <= 200, `${used} tokens for 100 characters of Chinese`);
  });

  test(`LIMITS without tokens or USD stops an answer of ${api} when its client disconnects`, async () => {
    const abandoned = await abandonAnswer(api, { limits: { each: { requests: 1000, concurrent: 1 } } });
    assert.equal(abandoned.upstream.idle, true);
    assert.equal((await abandoned.gateway.post(minimalRequest(api, {}))).status, 200);
  });
}

const THINKING: [what: string, request: Json, tokens: number][] = [
  ["a budget", { thinking: { type: "enabled", budget_tokens: 4000 } }, 4000],
  ["an effort", { output_config: { effort: "high" } }, 8000],
  ["none", {}, 0],
];

for (const [what, request, tokens] of THINKING) {
  test(`LIMITS charges hidden thinking by ${what} if the client disconnects before a usage report`, async () => {
    const abandoned = await abandonAnswer("chat", { limits: METERED, request });
    abandoned.gateway.clock.advance(10 * SECOND);
    await settle();
    const used = await usedOutput(abandoned, "chat");
    assert.ok(used >= tokens + 1 && used <= tokens + 2, String(used));
  });
}

test("LIMITS charges no hidden thinking if the answer ends after the client disconnected", async () => {
  for (const stream of [true, false]) {
    const request = { thinking: { type: "enabled", budget_tokens: 4000 } };
    const abandoned = await abandonAnswer("chat", { limits: METERED, request, stream });
    abandoned.answer.write(writeDelta({}, { finish_reason: "stop" }), DONE);
    abandoned.answer.close();
    await settle();
    const used = await usedOutput(abandoned, "chat");
    assert.ok(used >= 1 && used <= 2, String(used));
  }
});

test("LIMITS charges an answer whose client disconnects before its headers", async () => {
  const upstream = new FakeUpstream((nth): FakeReply =>
    nth === 0 ? "no headers" : { body: COMPLETE_STREAMS.chat }
  );
  const gateway = createTestGateway({ settings: { LIMITS: METERED }, upstream, clock: new FakeClock() });
  const client = new AbortController();
  const thinking = { type: "enabled", budget_tokens: 4000 };
  const pending = gateway.post(minimalRequest("chat", { max_tokens: 9000, thinking }), {
    signal: client.signal,
  });
  await upstream.stalled;
  client.abort();
  assert.equal((await pending).status, 499);
  assert.equal(upstream.idle, false);
  gateway.clock.advance(10 * SECOND);
  await settle();
  assert.equal(upstream.idle, true);
  assert.equal(await usedOutput({ gateway, upstream, answer: new OpenAnswer() }, "chat"), 4000);
});

test("LIMITS keeps the slot of an answer until its usage is known", async () => {
  const abandoned = await abandonAnswer("chat", { limits: { each: { concurrent: 1, usd_day: 10 } } });
  assert.equal((await abandoned.gateway.post(minimalRequest("chat", {}))).status, 429);
  abandoned.answer.write(...END.chat);
  abandoned.answer.close();
  await settle();
  assert.equal((await abandoned.gateway.post(minimalRequest("chat", {}))).status, 200);
});

test("LIMITS frees the slot of an answer that fails after its client disconnected", async () => {
  const abandoned = await abandonAnswer("chat", { limits: { each: { concurrent: 1, usd_day: 10 } } });
  abandoned.answer.fail();
  await settle();
  assert.equal((await abandoned.gateway.post(minimalRequest("chat", {}))).status, 200);
});

test("LIMITS charges an answer that is cancelled before it is read, and frees its slot", async () => {
  const clock = new FakeClock();
  const upstream = new FakeUpstream((nth): FakeReply =>
    nth === 0 ? { body: START.chat("Once").join(""), ending: "open" } : { body: COMPLETE_STREAMS.chat }
  );
  const settings = { LIMITS: { each: { concurrent: 1, output_tokens: 100_000, usd_day: 10 } } };
  const gateway = createTestGateway({ settings, upstream, clock });
  const thinking = { type: "enabled", budget_tokens: 4000 };
  const response = await gateway.post(minimalRequest("chat", { stream: true, max_tokens: 9000, thinking }));
  await response.body?.cancel();
  await settle();
  clock.advance(10 * SECOND);
  await settle();
  assert.equal(upstream.idle, true);
  const used = await usedOutput({ gateway, upstream, answer: new OpenAnswer() }, "chat");
  assert.ok(used > 4000 && used < 4010, String(used));
});

test("Gateway.stop() waits for the usage of an answer whose client has disconnected", async () => {
  const abandoned = await abandonAnswer("chat", { limits: METERED });
  let stopped = false;
  const stopping = abandoned.gateway.stop().then(() => void (stopped = true));
  await settle();
  assert.equal(stopped, false);
  abandoned.answer.write(...END.chat);
  abandoned.answer.close();
  await stopping;
  assert.equal(abandoned.upstream.idle, true);
  assert.equal(abandoned.gateway.clock.waiting, 0);
});

for (
  const [when, settings, ms] of [
    ["10 s after its client disconnected", {}, 10 * SECOND],
    ["at the deadline of SHUTDOWN_TIMEOUT", { SHUTDOWN_TIMEOUT: 3 }, 3 * SECOND],
  ] as const
) {
  test(`Gateway.stop() cancels an answer that has no usage ${when}`, async () => {
    const abandoned = await abandonAnswer("chat", { limits: METERED, settings });
    const stopping = abandoned.gateway.stop();
    abandoned.gateway.clock.advance(ms - 1);
    await settle();
    assert.equal(abandoned.upstream.idle, false);
    abandoned.gateway.clock.advance(1);
    await stopping;
    assert.equal(abandoned.upstream.idle, true);
    assert.equal(abandoned.gateway.clock.waiting, 0);
  });
}

test("LIMITS charges a complete answer without a usage report by its text", async () => {
  const body = writeChunks({ choices: [{ delta: { content: "蜂".repeat(100) }, finish_reason: "stop" }] });
  const gateway = createTestGateway({
    settings: { LIMITS: METERED },
    upstream: { body },
    clock: new FakeClock(),
  });
  await (await gateway.post(minimalRequest("chat", {}))).text();
  const { headers } = await gateway.post(minimalRequest("chat", {}));
  const used = 100_000 - Number(headers.get("anthropic-ratelimit-output-tokens-remaining"));
  assert.ok(used >= 100 && used <= 200, String(used));
});

test("REQUEST_TIMEOUT stops a metered answer at once", async () => {
  const answer = new OpenAnswer();
  const upstream = new FakeUpstream({ body: answer.body });
  const gateway = createTestGateway({
    settings: { LIMITS: METERED, REQUEST_TIMEOUT: 5 },
    upstream,
    clock: new FakeClock(),
  });
  const response = await gateway.post(
    (answer.write(...START.chat("Once")), minimalRequest("chat", { stream: true })),
  );
  const text = response.text();
  await settle();
  gateway.clock.advance(5 * SECOND);
  assert.match(await text, /"type":"timeout_error"/);
  assert.equal(upstream.idle, true);
});

test("UPSTREAM_RETRIES sends no request after the client of a metered request has disconnected", async () => {
  const upstream = new FakeUpstream({ status: 503, body: "{}" });
  const settings = { LIMITS: METERED, UPSTREAM_RETRIES: 2 };
  const gateway = createTestGateway({ settings, upstream, clock: new FakeClock() });
  const client = new AbortController();
  const pending = gateway.post(minimalRequest("chat", {}), { signal: client.signal });
  await settle();
  client.abort();
  assert.equal((await pending).status, 499);
  gateway.clock.advance(60 * SECOND);
  await settle();
  assert.equal(upstream.requests.length, 1);
});

test("LIMITS charges a search of the upstream whose client has disconnected", async () => {
  const search = new OpenAnswer();
  const called = { name: "web_search", arguments: '{"query":"bees"}' };
  const calls = [{ index: 0, id: "call_0", type: "function", function: called }];
  const turn = writeChunks({ choices: [{ delta: { tool_calls: calls }, finish_reason: "tool_calls" }] });
  const upstream = new FakeUpstream((nth) => ({ body: [turn, search.body][nth] ?? COMPLETE_STREAMS.chat }));
  const settings = { LIMITS: { each: { usd_day: 0.02 } } };
  const gateway = createTestGateway({ settings, upstream, clock: new FakeClock() });
  const client = new AbortController();
  const tools = [{ type: "web_search_20250305", name: "web_search" }];
  const pending = gateway.post(minimalRequest("chat", { tools }), { signal: client.signal });
  while (upstream.requests.length < 2) await settle();
  client.abort();
  assert.equal((await pending).status, 499);
  assert.equal(upstream.idle, false);
  search.write(
    writeChunk({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 1, cost: 0.02 } }),
    DONE,
  );
  search.close();
  await settle();
  const response = await gateway.post(minimalRequest("chat", {}));
  assert.equal(dig(await response.json(), "error", "type"), "billing_error");
});

/** Waits until pending tasks have run. */
async function settle(): Promise<void> {
  for (let nth = 0; nth < 5; nth++) await new Promise((resolve) => setImmediate(resolve));
}
