import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import type { Settings } from "../../lib/config/settings.ts";
import { writeEvents } from "../../lib/server/write_events.ts";
import { checkGrammar, readFrames, type Wire } from "./grammar.ts";
import {
  type Answer,
  createTestGateway,
  cut,
  hello,
  post,
  type Road,
  TestClock,
  TestUpstream,
  toBytes,
} from "./support.ts";

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
after(async () => {
  await setImmediate();
  assert.deepEqual(unhandled, [], "no rejection is left alone");
});

const SECOND = 1000;
const SETTINGS = { REQUEST_TIMEOUT: 60, HOLD_TIMEOUT: 10, PING_INTERVAL: 4 };

const chunk = (delta: Wire, more: Wire = {}) =>
  `data: ${JSON.stringify({ choices: [{ delta, ...more }] })}\n\n`;
const event = (data: Wire) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const call = (more: Wire) => ({ tool_calls: [{ index: 0, ...more }] });

/** A short answer on each road: its frames, and the one by which it is finished. */
const ANSWERS: Record<Road, { frames: string[]; last: number }> = {
  chat: {
    frames: [
      ": OPENROUTER PROCESSING\n\n",
      chunk({ reasoning: "Hm" }),
      chunk({ content: "Hé🙂" }),
      chunk(call({ id: "a", function: { name: "t", arguments: '{"x"' } })),
      chunk(call({ function: { arguments: ":1}" } })),
      chunk({}, { finish_reason: "tool_calls" }),
      'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n',
      "data: [DONE]\n\n",
    ],
    last: 5,
  },
  native: {
    frames: [
      event({
        type: "message_start",
        message: { id: "msg_1", usage: { input_tokens: 3, output_tokens: 1 } },
      }),
      event({ type: "ping" }),
      event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hé🙂" } }),
      event({ type: "content_block_stop", index: 0 }),
      event({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 5 } }),
      event({ type: "message_stop" }),
    ],
    last: 6,
  },
};

interface Run {
  upstream: TestUpstream;
  clock: TestClock;
  handler: (request: Request) => Promise<Response>;
  /** The client's side of the connection. */
  client: AbortController;
  answer: Promise<Response>;
}

function start(
  road: Road,
  streamed: boolean,
  answer: ConstructorParameters<typeof TestUpstream>[0],
  settings: Settings = SETTINGS,
): Run {
  const upstream = new TestUpstream(answer);
  const { handler, clock } = createTestGateway(upstream, settings);
  const client = new AbortController();
  const request = post(hello(road, { stream: streamed }), { signal: client.signal });
  return { upstream, clock, handler, client, answer: handler(request) };
}

/** Checks what must be true once a request is over, however it went. */
async function assertOver({ upstream, clock, handler }: Run, what: string): Promise<void> {
  await setImmediate();
  assert.ok(upstream.idle, `${what}: the upstream is let go`);
  assert.equal(clock.waiting, 0, `${what}: no timer is left`);
  const { requests } = await (await handler(new Request("http://localhost/status"))).json();
  assert.equal(requests.open, 1, `${what}: only this question is open`);
}

/** Reads an answer to its end and says how it ended; the end must be a legal one. */
async function readEnd(
  response: Response,
  what: string,
): Promise<{ ending: string; events: Wire[]; error?: Wire }> {
  const text = await response.text();
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
    assert.equal(response.status, 200);
    const events = readFrames(text);
    const ending = checkGrammar(events);
    return { ending, events, ...(ending === "error" && { error: events.at(-1) }) };
  }
  const json = JSON.parse(text);
  if (response.status === 200) return { ending: "message", events: [], error: undefined };
  assert.equal(json.type, "error", what);
  assert.equal(json.request_id, response.headers.get("request-id"), what);
  return { ending: "status", events: [], error: json };
}

/** Where an answer may break off: after so many bytes, between two frames or within one, finished or not. */
interface Place {
  offset: number;
  bytes: Uint8Array;
  between: boolean;
  finished: boolean;
  /** Whether nothing can come any more. */
  done: boolean;
}

function* placesOf(road: Road): Generator<Place> {
  const { frames, last } = ANSWERS[road];
  const whole = toBytes(frames.join(""));
  const told = toBytes(frames.slice(0, last + 1).join("")).length - 2;
  for (let offset = 0; offset <= whole.length; offset++) {
    const bytes = whole.subarray(0, offset);
    const between = offset === 0 || new TextDecoder().decode(bytes).endsWith("\n\n");
    yield { offset, bytes, between, finished: offset >= told, done: offset === whole.length };
  }
}

for (const road of ["chat", "native"] as const) {
  for (const streamed of [true, false]) {
    const how = `${road}, ${streamed ? "streamed" : "whole"}`;

    test(`an answer that is cut at any byte ends legally (${how})`, async () => {
      for (const { bytes, between, finished, done, offset } of placesOf(road)) {
        for (const ending of ["close", "reset"] as const) {
          const what = `${ending} after ${offset} bytes`;
          const run = start(road, streamed, { pieces: cut(bytes, [37]), ending, deaf: offset % 2 === 0 });
          const end = await readEnd(await run.answer, what);
          const good = streamed ? "message_stop" : "message";
          if (!finished) assert.notEqual(end.ending, good, `${what}: nothing half is sold as whole`);
          else if (done || (between && ending === "close")) assert.equal(end.ending, good, what);
          if (end.error !== undefined) assert.equal(end.error.error.type, "api_error", what);
          await assertOver(run, what);
        }
      }
    });

    test(`an upstream that falls silent after any byte is let go when the client leaves (${how})`, async () => {
      for (const { bytes, done, offset } of placesOf(road)) {
        if (done) continue;
        const what = `silence after ${offset} bytes`;
        const run = start(road, streamed, { pieces: [bytes], ending: "silence", deaf: offset % 2 === 0 });
        const response = await Promise.race([run.answer, run.upstream.silent]);
        if (response === undefined) run.client.abort();
        else await response.body?.getReader().cancel();
        await run.answer;
        await assertOver(run, what);
      }
    });

    test(`an upstream that falls silent after any byte ends with the time of the request (${how})`, async () => {
      for (const { bytes, done, offset } of placesOf(road)) {
        if (done) continue;
        const what = `silence after ${offset} bytes`;
        const run = start(road, streamed, { pieces: [bytes], ending: "silence", deaf: offset % 2 === 0 });
        const read = run.answer.then((response) => readEnd(response, what));
        await run.upstream.silent;
        for (let passed = 0; passed < 60; passed += 5) {
          await setImmediate();
          run.clock.pass(5 * SECOND);
        }
        const { ending, events, error } = await read;
        assert.equal(ending, streamed ? "error" : "status", what);
        assert.equal(error?.error.type, "timeout_error", what);
        if (streamed) assert.ok(events.filter(({ type }) => type === "ping").length >= 5, `${what}: pings`);
        await assertOver(run, what);
      }
    });

    test(`an upstream that never answers is let go when the client leaves, or time is over (${how})`, async () => {
      const left = start(road, streamed, "no headers");
      await left.upstream.silent;
      left.client.abort();
      assert.ok((await left.answer).status >= 400);
      await assertOver(left, "left");

      const late = start(road, streamed, "no headers");
      const read = late.answer.then((response) => readEnd(response, "late"));
      await late.upstream.silent;
      for (let passed = 0; passed < 60; passed += 5) {
        await setImmediate();
        late.clock.pass(5 * SECOND);
      }
      const { ending, error } = await read;
      assert.equal(ending, streamed ? "error" : "status");
      assert.equal(error?.error.type, "timeout_error");
      await assertOver(late, "late");
    });

    test(`an upstream that keeps its connection open after its answer does not hold it up (${how})`, async () => {
      for (const deaf of [true, false]) {
        const { frames } = ANSWERS[road];
        const answer: Answer = { pieces: [toBytes(frames.join(""))], ending: "silence", deaf };
        const run = start(road, streamed, answer, { ...SETTINGS, PING_INTERVAL: 0.1 });
        const read = run.answer.then((response) => readEnd(response, "open"));
        await run.upstream.silent;
        await setImmediate();
        run.clock.pass(SECOND);
        assert.equal((await read).ending, streamed ? "message_stop" : "message");
        await assertOver(run, "open");
      }
    });

    test(`whatever a client gives for leaving, before or while it is answered, is an answer (${how})`, async () => {
      for (const reason of [undefined, null, "gone", 0, new Error("gone"), new DOMException("gone")]) {
        const run = start(road, streamed, { ending: "silence" });
        await run.upstream.silent;
        run.client.abort(reason);
        assert.ok((await run.answer).status >= 400);
        await assertOver(run, `left with ${reason}`);

        const gone = start(road, streamed, { ending: "silence" });
        gone.client.abort(reason);
        assert.ok((await gone.answer).status >= 400);
        assert.equal(gone.upstream.requests.length, 0, "nobody is asked for one who has left");
        await assertOver(gone, `left at once with ${reason}`);
      }
    });

    test(`a client that leaves between the upstream's headers and its first byte is noticed (${how})`, async () => {
      for (const deaf of [true, false]) {
        const client = new AbortController();
        const upstream = new TestUpstream({ ending: "silence", deaf });
        const { handler, clock } = createTestGateway(upstream, SETTINGS);
        const { fetch } = upstream;
        upstream.fetch = async (...asked) => {
          const response = await fetch(...asked);
          if (asked[1]?.method === "POST") client.abort();
          return response;
        };
        const gateway = createTestGateway(upstream, SETTINGS);
        const response = await gateway.handler(
          post(hello(road, { stream: streamed }), { signal: client.signal }),
        );
        assert.ok(response.status >= 400);
        assert.ok(upstream.idle);
        assert.equal(gateway.clock.waiting, 0);
        assert.equal(clock.waiting, 0);
        assert.equal((await handler(new Request("http://localhost/health"))).status, 200);
      }
    });
  }

  test(`a client that leaves after any event lets the upstream go (${road})`, async () => {
    const { frames } = ANSWERS[road];
    for (const ending of ["close", "reset", "silence"] as const) {
      for (let events = 0; events <= frames.length; events++) {
        for (const leave of ["cancels", "aborts"] as const) {
          const what = `${leave} after ${events} reads, ${ending}`;
          const pieces = frames.map(toBytes);
          const run = start(road, true, { pieces, ending, deaf: events % 2 === 0 });
          const response = await run.answer;
          const reader = response.body?.getReader();
          assert.ok(reader);
          for (let read = 0; read < events; read++) await Promise.race([reader.read(), run.upstream.silent]);
          if (leave === "aborts") run.client.abort();
          else await reader.cancel();
          await assertOver(run, what);
        }
      }
    }
  });

  test(`an answer that begins late begins with the gateway's own message_start (${road})`, async () => {
    const { frames } = ANSWERS[road];
    const endings: [answer: Answer | Error, ending: string, type?: string][] = [
      [{ pieces: frames.map(toBytes) }, "message_stop"],
      [{ pieces: frames.slice(0, 3).map(toBytes), ending: "reset" }, "error", "api_error"],
      [{ pieces: [] }, "error", "api_error"],
      [
        { status: 429, headers: {}, pieces: [toBytes('{"error":{"message":"Slow"}}')] },
        "error",
        "rate_limit_error",
      ],
      [new TypeError("fetch failed"), "error", "api_error"],
    ];
    for (const [answer, ending, type] of endings) {
      const what = JSON.stringify(ending);
      const upstream = new TestUpstream(answer);
      const { fetch } = upstream;
      let answerNow = () => {};
      const asked = new Promise<void>((tell) => {
        upstream.fetch = async (...request) => {
          if (request[1]?.method !== "POST") return await fetch(...request);
          tell();
          await new Promise<void>((resolve) => answerNow = resolve);
          return await fetch(...request);
        };
      });
      const { handler, clock } = createTestGateway(upstream, SETTINGS);
      const client = new AbortController();
      const pending = handler(post(hello(road, { stream: true }), { signal: client.signal }));
      await asked;
      clock.pass(10 * SECOND);
      const response = await pending;
      assert.equal(response.status, 200);
      const reader = response.body?.getReader();
      assert.ok(reader);
      const { value } = await reader.read();
      const opening = new TextDecoder().decode(value);
      assert.deepEqual(readFrames(opening).map((one) => one.type), ["message_start", "ping"]);
      const rest = readRest(reader);
      await setImmediate();
      clock.pass(5 * SECOND);
      answerNow();
      const events = readFrames(opening + await rest);
      assert.equal(checkGrammar(events), ending);
      assert.deepEqual(events.slice(0, 3).map((one) => one.type), ["message_start", "ping", "ping"], what);
      if (type !== undefined) assert.equal(events.at(-1).error.type, type);
      await assertOver({ upstream, clock, handler, client, answer: pending }, what);
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

test("a client that does not read gets no ping before the message begins, and no more than one read ahead", async () => {
  const { frames } = ANSWERS.chat;
  const run = start("chat", true, { pieces: frames.map(toBytes) });
  const response = await run.answer;
  run.clock.pass(50 * SECOND);
  const { ending } = await readEnd(response, "unread");
  assert.equal(ending, "message_stop");
  await assertOver(run, "unread");
});

test("writeEvents() tells its end once, though the client leaves while the last words wait for it", async () => {
  for (const failure of [undefined, new Error("broken")]) {
    for (const leave of ["cancels", "aborts", "both"] as const) {
      const clock = new TestClock();
      const client = new AbortController();
      const outcomes: string[] = [];
      let say = () => {};
      const batches = async function* (): AsyncGenerator<StreamEvent[]> {
        await new Promise<void>((resolve) => say = resolve);
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
      clock.pass(SECOND);
      assert.match(new TextDecoder().decode((await ping).value), /^event: ping/);
      say();
      await setImmediate();
      if (leave !== "cancels") client.abort();
      if (leave !== "aborts") await reader.cancel();
      await setImmediate();
      assert.deepEqual(outcomes, [failure ? "failed" : "left"]);
      assert.equal(clock.waiting, 0);
    }
  }
});

test("events are told as they come, not gathered", async () => {
  for (const road of ["chat", "native"] as const) {
    const { frames } = ANSWERS[road];
    const said = frames.findIndex((frame) => frame.includes("Hé"));
    const run = start(road, true, { pieces: frames.slice(0, said + 1).map(toBytes), ending: "silence" });
    const reader = (await run.answer).body?.getReader();
    assert.ok(reader);
    let text = "";
    for (const decoder = new TextDecoder(); !text.includes("Hé🙂");) {
      text += decoder.decode((await reader.read()).value, { stream: true });
    }
    await reader.cancel();
    await assertOver(run, road);
  }
});
