import assert from "node:assert/strict";
import { test } from "node:test";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import { writeEvents } from "../../lib/server/write_events.ts";
import { cutBySizes, toBytes } from "../kit/bytes.ts";
import { FakeClock } from "../kit/clock.ts";
import { parseEvents } from "../kit/events.ts";
import { createTestGateway, type TestGateway, type TestGatewayOptions } from "../kit/gateway.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";
import { API_SETTINGS, minimalRequest, UPSTREAM_APIS, type UpstreamApi } from "../kit/requests/request.ts";
import { DONE, writeChunk, writeDelta, writeEvent } from "../kit/streams.ts";
import { type FakeReply, type FakeResponse, FakeUpstream } from "../kit/upstream.ts";

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));

const SECOND = 1000;
const SETTINGS = { REQUEST_TIMEOUT: 60, HOLD_TIMEOUT: 10, PING_INTERVAL: 4 };

const call = (more: Wire) => ({ tool_calls: [{ index: 0, ...more }] });

/** A short answer of each API: its frames, and the index of the frame that completes it. */
const ANSWERS: Record<UpstreamApi, { frames: string[]; last: number }> = {
  chat: {
    frames: [
      ": OPENROUTER PROCESSING\n\n",
      writeDelta({ reasoning: "Hm" }),
      writeDelta({ content: "Hé🙂" }),
      writeDelta(call({ id: "a", function: { name: "t", arguments: '{"x"' } })),
      writeDelta(call({ function: { arguments: ":1}" } })),
      writeDelta({}, { finish_reason: "tool_calls" }),
      writeChunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 5 } }),
      DONE,
    ],
    last: 5,
  },
  native: {
    frames: [
      writeEvent({
        type: "message_start",
        message: { id: "msg_1", usage: { input_tokens: 3, output_tokens: 1 } },
      }),
      writeEvent({ type: "ping" }),
      writeEvent({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      writeEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hé🙂" } }),
      writeEvent({ type: "content_block_stop", index: 0 }),
      writeEvent({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }),
      writeEvent({ type: "message_stop" }),
    ],
    last: 5,
  },
  responses: {
    frames: [
      writeEvent({ type: "response.created", response: { status: "in_progress" } }),
      writeEvent({ type: "response.output_item.added", output_index: 0, item: { type: "reasoning" } }),
      writeEvent({ type: "response.reasoning_summary_text.delta", output_index: 0, delta: "Hm" }),
      writeEvent({
        type: "response.output_item.done",
        output_index: 0,
        item: { type: "reasoning", summary: [], encrypted_content: "e" },
      }),
      writeEvent({ type: "response.output_text.delta", output_index: 1, delta: "Hé🙂" }),
      writeEvent({
        type: "response.output_item.added",
        output_index: 2,
        item: { type: "function_call", call_id: "call_a", name: "t", arguments: "" },
      }),
      writeEvent({ type: "response.function_call_arguments.delta", output_index: 2, delta: '{"x"' }),
      writeEvent({ type: "response.function_call_arguments.done", output_index: 2, arguments: '{"x":1}' }),
      writeEvent({
        type: "response.completed",
        response: { status: "completed", output: [], usage: { input_tokens: 3, output_tokens: 5 } },
      }),
    ],
    last: 8,
  },
};

interface Run extends TestGateway {
  /** Aborts the client's request. */
  client: AbortController;
  answer: Promise<Response>;
}

type StartOptions = Omit<TestGatewayOptions, "upstream">;

/** Creates a gateway. Returns a function that sets the upstream's reply and sends a message. */
function createStart(
  api: UpstreamApi,
  streamed: boolean,
  { settings = SETTINGS, ...options }: StartOptions = {},
): (reply: FakeReply) => Run {
  let upstreamReply: FakeReply = {};
  const upstream = new FakeUpstream(() => upstreamReply);
  const gateway = createTestGateway({
    settings: { ...settings, ...API_SETTINGS[api] },
    upstream,
    ...options,
  });
  return (reply) => {
    upstreamReply = reply;
    upstream.resetStalled();
    const client = new AbortController();
    const answer = gateway.post(minimalRequest(api, { stream: streamed }), { signal: client.signal });
    return { ...gateway, client, answer };
  };
}

/** Sends a message to a new gateway whose upstream gives this reply. */
function start(api: UpstreamApi, streamed: boolean, reply: FakeReply, options?: StartOptions): Run {
  return createStart(api, streamed, options)(reply);
}

/** Checks that no request is open. */
async function assertIdle({ upstream, clock, get }: Run, what: string): Promise<void> {
  await setImmediate();
  assert.ok(upstream.idle, `${what}: the upstream is idle`);
  assert.equal(clock.waiting, 0, `${what}: no timer is left`);
  const { requests } = await (await get("/status")).json();
  assert.equal(requests.open, 0, `${what}: no other request is open`);
}

/** Reads a response to its end, which must be valid, and returns how it ended. */
async function readEnd(
  response: Response,
  what: string,
): Promise<{ ending: string; events: Wire[]; error?: Wire }> {
  const text = await response.text();
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
    assert.equal(response.status, 200);
    const events = parseEvents(text);
    const ending = checkGrammar(events);
    return { ending, events, ...(ending === "error" && { error: events.at(-1) }) };
  }
  const json = JSON.parse(text);
  if (response.status === 200) return { ending: "message", events: [], error: undefined };
  assert.equal(json.type, "error", what);
  assert.equal(json.request_id, response.headers.get("request-id"), what);
  return { ending: "status", events: [], error: json };
}

/** A byte offset at which an answer may end. */
interface Place {
  offset: number;
  bytes: Uint8Array;
  /** True if it is between two frames. */
  between: boolean;
  /** True if the message is complete. */
  finished: boolean;
  /** True if the answer ends within a second, even if nothing follows. */
  ends: boolean;
  /** True if it is the end of the body. */
  done: boolean;
}

function* placesOf(api: UpstreamApi): Generator<Place> {
  const { frames, last } = ANSWERS[api];
  const whole = toBytes(frames.join(""));
  const needed = toBytes(frames.slice(0, last + 1).join("")).length - 2;
  for (let offset = 0; offset <= whole.length; offset++) {
    const bytes = whole.subarray(0, offset);
    const between = offset === 0 || new TextDecoder().decode(bytes).endsWith("\n\n");
    const finished = offset >= needed;
    yield { offset, bytes, between, finished, ends: offset >= needed + 2, done: offset === whole.length };
  }
}

for (const api of UPSTREAM_APIS) {
  for (const streamed of [true, false]) {
    const how = `${api}, ${streamed ? "streamed" : "whole"}`;

    test(`POST /v1/messages ends in a valid form if the upstream ends at any byte (${how})`, async () => {
      const start = createStart(api, streamed);
      for (const { bytes, between, finished, done, offset } of placesOf(api)) {
        for (const ending of ["close", "reset"] as const) {
          const what = `${ending} after ${offset} bytes`;
          const run = start({ body: cutBySizes(bytes, [37]), ending, ignoresAbort: offset % 2 === 0 });
          const end = await readEnd(await run.answer, what);
          const good = streamed ? "message_stop" : "message";
          if (!finished) assert.notEqual(end.ending, good, `${what}: a part does not pass as complete`);
          else if (done || (between && ending === "close")) assert.equal(end.ending, good, what);
          if (end.error !== undefined) assert.equal(end.error.error.type, "api_error", what);
          await assertIdle(run, what);
        }
      }
    });

    test(`POST /v1/messages stops an upstream that stalls after any byte when the client disconnects (${how})`, async () => {
      const start = createStart(api, streamed);
      for (const { bytes, done, offset } of placesOf(api)) {
        if (done) continue;
        const what = `silence after ${offset} bytes`;
        const run = start({ body: [bytes], ending: "open", ignoresAbort: offset % 2 === 0 });
        const response = await Promise.race([run.answer, run.upstream.stalled]);
        if (response === undefined) run.client.abort();
        else await response.body?.getReader().cancel();
        await run.answer;
        await assertIdle(run, what);
      }
    });

    test(`POST /v1/messages ends with REQUEST_TIMEOUT if the upstream stalls after any byte (${how})`, async () => {
      const start = createStart(api, streamed);
      for (const { bytes, ends, offset } of placesOf(api)) {
        if (ends) continue;
        const what = `silence after ${offset} bytes`;
        const run = start({ body: [bytes], ending: "open", ignoresAbort: offset % 2 === 0 });
        const read = run.answer.then((response) => readEnd(response, what));
        await run.upstream.stalled;
        for (let passed = 0; passed < 60; passed += 5) {
          await setImmediate();
          run.clock.advance(5 * SECOND);
        }
        const { ending, events, error } = await read;
        assert.equal(ending, streamed ? "error" : "status", what);
        assert.equal(error?.error.type, "timeout_error", what);
        if (streamed) assert.ok(events.filter(({ type }) => type === "ping").length >= 5, `${what}: pings`);
        await assertIdle(run, what);
      }
    });

    test(`POST /v1/messages stops an upstream without headers when the client disconnects or at REQUEST_TIMEOUT (${how})`, async () => {
      const left = start(api, streamed, "no headers");
      await left.upstream.stalled;
      left.client.abort();
      assert.ok((await left.answer).status >= 400);
      await assertIdle(left, "left");

      const late = start(api, streamed, "no headers");
      const read = late.answer.then((response) => readEnd(response, "late"));
      await late.upstream.stalled;
      for (let passed = 0; passed < 60; passed += 5) {
        await setImmediate();
        late.clock.advance(5 * SECOND);
      }
      const { ending, error } = await read;
      assert.equal(ending, streamed ? "error" : "status");
      assert.equal(error?.error.type, "timeout_error");
      await assertIdle(late, "late");
    });

    test(`POST /v1/messages does not wait for an upstream that keeps its connection open (${how})`, async () => {
      for (const ignoresAbort of [true, false]) {
        const { frames } = ANSWERS[api];
        const answer: FakeResponse = { body: [toBytes(frames.join(""))], ending: "open", ignoresAbort };
        const run = start(api, streamed, answer, {
          settings: { ...SETTINGS, PING_INTERVAL: 0.1 },
        });
        const read = run.answer.then((response) => readEnd(response, "open"));
        await run.upstream.stalled;
        await setImmediate();
        run.clock.advance(SECOND);
        assert.equal((await read).ending, streamed ? "message_stop" : "message");
        await assertIdle(run, "open");
      }
    });

    test(`POST /v1/messages returns a response for any abort reason of the client (${how})`, async () => {
      for (const reason of [undefined, null, "gone", 0, new Error("gone"), new DOMException("gone")]) {
        const run = start(api, streamed, { ending: "open" });
        await run.upstream.stalled;
        run.client.abort(reason);
        assert.ok((await run.answer).status >= 400);
        await assertIdle(run, `left with ${reason}`);

        const gone = start(api, streamed, { ending: "open" });
        gone.client.abort(reason);
        assert.ok((await gone.answer).status >= 400);
        assert.equal(gone.upstream.requests.length, 0, "the upstream gets no request");
        await assertIdle(gone, `left at once with ${reason}`);
      }
    });

    test(`POST /v1/messages notices a client that disconnects between the upstream's headers and first byte (${how})`, async () => {
      for (const ignoresAbort of [true, false]) {
        const client = new AbortController();
        const upstream = new FakeUpstream({ ending: "open", ignoresAbort });
        const { clock, get, post } = createTestGateway({
          settings: { ...SETTINGS, ...API_SETTINGS[api] },
          upstream,
          async fetch(...request) {
            const response = await upstream.fetch(...request);
            if (request[1]?.method === "POST") client.abort();
            return response;
          },
        });
        const response = await post(minimalRequest(api, { stream: streamed }), { signal: client.signal });
        assert.ok(response.status >= 400);
        assert.ok(upstream.idle);
        assert.equal(clock.waiting, 0);
        assert.equal((await get("/health")).status, 200);
      }
    });
  }

  test(`POST /v1/messages stops the upstream when the client disconnects after any event (${api})`, async () => {
    const { frames } = ANSWERS[api];
    for (const ending of ["close", "reset", "open"] as const) {
      for (let events = 0; events <= frames.length; events++) {
        for (const disconnect of ["cancels", "aborts"] as const) {
          const what = `${disconnect} after ${events} reads, ${ending}`;
          const body = frames.map(toBytes);
          const run = start(api, true, { body, ending, ignoresAbort: events % 2 === 0 });
          const response = await run.answer;
          const reader = response.body?.getReader();
          assert.ok(reader);
          for (let read = 0; read < events; read++) await Promise.race([reader.read(), run.upstream.stalled]);
          if (disconnect === "aborts") run.client.abort();
          else await reader.cancel();
          await assertIdle(run, what);
        }
      }
    }
  });

  test(`POST /v1/messages sends a message_start if the upstream starts late (${api})`, async () => {
    const { frames } = ANSWERS[api];
    const endings: [answer: FakeResponse | Error, ending: string, type?: string][] = [
      [{ body: frames.map(toBytes) }, "message_stop"],
      [{ body: frames.slice(0, 3).map(toBytes), ending: "reset" }, "error", "api_error"],
      [{ body: [] }, "error", "api_error"],
      [
        { status: 429, headers: {}, body: '{"error":{"message":"Slow"}}' },
        "error",
        "rate_limit_error",
      ],
      [new TypeError("fetch failed"), "error", "api_error"],
    ];
    for (const [answer, ending, type] of endings) {
      const what = JSON.stringify(ending);
      const upstream = new FakeUpstream(answer);
      let onSent = () => {};
      let reply = () => {};
      const sent = new Promise<void>((resolve) => onSent = resolve);
      const run = start(api, true, answer, {
        async fetch(...request) {
          if (request[1]?.method === "POST") {
            onSent();
            await new Promise<void>((resolve) => reply = resolve);
          }
          return await upstream.fetch(...request);
        },
      });
      await sent;
      run.clock.advance(10 * SECOND);
      const response = await run.answer;
      assert.equal(response.status, 200);
      const reader = response.body?.getReader();
      assert.ok(reader);
      const { value } = await reader.read();
      const opening = new TextDecoder().decode(value);
      assert.deepEqual(parseEvents(opening).map((one) => one.type), ["message_start", "ping"]);
      const rest = readRest(reader);
      await setImmediate();
      run.clock.advance(5 * SECOND);
      reply();
      const events = parseEvents(opening + await rest);
      assert.equal(checkGrammar(events), ending);
      assert.deepEqual(events.slice(0, 3).map((one) => one.type), ["message_start", "ping", "ping"], what);
      if (type !== undefined) assert.equal(events.at(-1).error.type, type);
      await assertIdle({ ...run, upstream }, what);
    }
  });
}

async function readRest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += decoder.decode(read.value, { stream: true });
  }
  return text;
}

test("writeEvents() sends no ping before the message to a client that does not read, and reads ahead at most once", async () => {
  const { frames } = ANSWERS.chat;
  const run = start("chat", true, { body: frames.map(toBytes) });
  const response = await run.answer;
  run.clock.advance(50 * SECOND);
  const { ending } = await readEnd(response, "unread");
  assert.equal(ending, "message_stop");
  await assertIdle(run, "unread");
});

test("writeEvents() reports its end once if the client disconnects before the last event", async () => {
  for (const failure of [undefined, new Error("broken")]) {
    for (const disconnect of ["cancels", "aborts", "both"] as const) {
      const clock = new FakeClock();
      const client = new AbortController();
      const outcomes: string[] = [];
      let resume = () => {};
      const batches = async function* (): AsyncGenerator<StreamEvent[]> {
        await new Promise<void>((resolve) => resume = resolve);
        if (failure !== undefined) throw failure;
        yield [{ type: "message_stop" }];
      };
      const reader = writeEvents(batches(), {
        clock,
        client: client.signal,
        pingIntervalMs: SECOND,
        toErrorBody: () => ({
          type: "error",
          error: { type: "api_error", message: "broken" },
          request_id: "req_1",
        }),
        onEnd: (outcome) => outcomes.push(outcome),
      }).getReader();
      const ping = reader.read();
      await setImmediate();
      clock.advance(SECOND);
      assert.match(new TextDecoder().decode((await ping).value), /^event: ping/);
      resume();
      await setImmediate();
      if (disconnect !== "cancels") client.abort();
      if (disconnect !== "aborts") await reader.cancel();
      await setImmediate();
      assert.deepEqual(outcomes, [failure ? "failed" : "left"]);
      assert.equal(clock.waiting, 0);
    }
  }
});

test("writeEvents() sends events as they arrive", async () => {
  for (const api of UPSTREAM_APIS) {
    const { frames } = ANSWERS[api];
    const last = frames.findIndex((frame) => frame.includes("Hé"));
    const run = start(api, true, { body: frames.slice(0, last + 1).map(toBytes), ending: "open" });
    const reader = (await run.answer).body?.getReader();
    assert.ok(reader);
    let text = "";
    for (const decoder = new TextDecoder(); !text.includes("Hé🙂");) {
      text += decoder.decode((await reader.read()).value, { stream: true });
    }
    await reader.cancel();
    await assertIdle(run, api);
  }
});

test("POST /v1/messages handles all rejections at any fault", async () => {
  await setImmediate();
  assert.deepEqual(unhandled, []);
});
