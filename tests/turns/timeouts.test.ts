import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Settings } from "../../lib/config/settings.ts";
import { checkGrammar, readFrames } from "../properties/grammar.ts";
import {
  createTestGateway,
  cut,
  hello,
  post,
  type TestClock,
  TestUpstream,
  toBytes,
} from "../properties/support.ts";

const SECOND = 1000;
const SETTINGS = { FIRST_BYTE_TIMEOUT: 300, IDLE_TIMEOUT: 120, PING_INTERVAL: 10, HOLD_TIMEOUT: 10 };

const say = (content: string) =>
  toBytes(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
const END = toBytes('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
const COMMENT = toBytes(": OPENROUTER PROCESSING\n\n");
const ROLE = toBytes('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n');

/** An upstream whose body a test writes as it goes. */
function openUpstream(): { upstream: TestUpstream; write(bytes: Uint8Array): void; close(): void } {
  const upstream = new TestUpstream({});
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  upstream.fetch = (_input, init = {}) => {
    if (init.method !== "POST") return Promise.resolve(new Response(null, { status: 404 }));
    upstream.open++;
    const body = new ReadableStream<Uint8Array>({
      start: (given) => void (controller = given),
      cancel: () => void upstream.open--,
    }, { highWaterMark: 0 });
    return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  };
  return { upstream, write: (bytes) => controller?.enqueue(bytes), close: () => controller?.close() };
}

/** Lets seconds pass, one after the other, as long as nothing else is to be done first. */
async function pass(clock: TestClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await setImmediate();
    clock.pass(SECOND);
  }
  await setImmediate();
}

/** Tells whether a promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  await setImmediate();
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

const ask = (settings: Settings, upstream: TestUpstream, stream: boolean) => {
  const { handler, clock } = createTestGateway(upstream, { ...SETTINGS, ...settings });
  return { clock, answer: handler(post(hello("chat", { stream }))) };
};

test("an upstream that never sends its headers is given up after FIRST_BYTE_TIMEOUT", async () => {
  const upstream = new TestUpstream("no headers");
  const { clock, answer } = ask({}, upstream, false);
  await pass(clock, 299);
  assert.equal(await isSettled(answer), false);
  await pass(clock, 1);
  const response = await answer;
  assert.equal(response.status, 504);
  const { error } = await response.json();
  assert.deepEqual(error, {
    type: "timeout_error",
    message: 'Cannot get an answer from upstream "openrouter": it sent nothing for 300 s',
  });
  assert.ok(upstream.idle);
  assert.equal(clock.waiting, 0);
});

test("an answer that never begins is given up after FIRST_BYTE_TIMEOUT of silence, and told in the stream", async () => {
  for (const sign of [COMMENT, ROLE]) {
    const { upstream, write } = openUpstream();
    const { clock, answer } = ask({}, upstream, true);
    await pass(clock, 200);
    write(sign); // a sign of life, but not yet an answer
    await pass(clock, 299);
    const response = await answer;
    assert.equal(response.status, 200);
    const text = response.text();
    assert.equal(await isSettled(text), false);
    await pass(clock, 1);
    const events = readFrames(await text);
    assert.equal(checkGrammar(events), "error");
    assert.equal(events.at(-1).error.type, "timeout_error");
    assert.ok(upstream.idle);
    assert.equal(clock.waiting, 0);
  }
});

test("an answer that has begun and falls silent is given up after IDLE_TIMEOUT", async () => {
  const { upstream, write } = openUpstream();
  const { clock, answer } = ask({}, upstream, true);
  await setImmediate();
  write(say("Hello"));
  const text = (await answer).text();
  await pass(clock, 100);
  write(COMMENT); // every byte is a sign of life
  await pass(clock, 119);
  assert.equal(await isSettled(text), false);
  await pass(clock, 1);
  const events = readFrames(await text);
  assert.equal(checkGrammar(events), "error");
  assert.match(events.at(-1).error.message, /it sent nothing for 120 s$/);
  assert.ok(upstream.idle);
  assert.equal(clock.waiting, 0);
});

test("an upstream that a slow client holds back is not taken for silent", async () => {
  const { upstream, write, close } = openUpstream();
  const { clock, answer } = ask({}, upstream, true);
  await setImmediate();
  write(say("Hello"));
  const reader = (await answer).body?.getReader();
  assert.ok(reader);
  await reader.read();
  await pass(clock, 1000);
  write(END);
  close();
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += new TextDecoder().decode(read.value);
  }
  assert.match(text, /event: message_stop\n.*\n\n$/);
});

test("0 is no limit", async () => {
  const { upstream, write, close } = openUpstream();
  const limits = { FIRST_BYTE_TIMEOUT: 0, IDLE_TIMEOUT: 0, REQUEST_TIMEOUT: 0 };
  const { clock, answer } = ask(limits, upstream, true);
  await pass(clock, 10_000);
  write(say("Hello"));
  await pass(clock, 10_000);
  write(END);
  close();
  assert.equal(checkGrammar(readFrames(await (await answer).text())), "message_stop");
});

test("a silent upstream is left for a fallback", async () => {
  const upstream = new TestUpstream((nth) => nth === 0 ? "no headers" : { pieces: [say("Hi"), END] });
  const MODEL_MAP = { fast: { model: "vendor/model", fallbacks: ["vendor/other"] } };
  const { handler, clock } = createTestGateway(upstream, { ...SETTINGS, MODEL_MAP });
  const answer = handler(post(hello("chat", { model: "fast" })));
  await pass(clock, 300);
  const response = await answer;
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-gateway-model"), "openrouter/vendor/other");
  assert.ok(upstream.idle);
});

/** A request whose body a test writes as it goes. */
function slowRequest(): { request: Request; write(text: string): void; close(): void } {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const init: RequestInit & { duplex: "half" } = { body, duplex: "half" };
  return {
    request: post(undefined, init),
    write: (text) => controller?.enqueue(toBytes(text)),
    close: () => controller?.close(),
  };
}

test("a request whose body does not arrive within BODY_TIMEOUT is a 408", async () => {
  const { handler, clock } = createTestGateway(new TestUpstream({}), { BODY_TIMEOUT: 60 });
  const { request, write } = slowRequest();
  const answer = handler(request);
  for (let second = 0; second < 60; second++) {
    assert.equal(await isSettled(answer), false);
    write(" ");
    await pass(clock, 1);
  }
  const response = await answer;
  assert.equal(response.status, 408);
  const { error } = await response.json();
  assert.deepEqual(error, {
    type: "timeout_error",
    message: "Cannot read the request body: it took longer than 60 s",
  });
  assert.equal(clock.waiting, 0);
});

test("a request whose body arrives in time has no limit on it any more", async () => {
  for (const BODY_TIMEOUT of [60, 0]) {
    const upstream = new TestUpstream({ pieces: [say("Hi"), END] });
    const { handler, clock } = createTestGateway(upstream, { BODY_TIMEOUT });
    const { request, write, close } = slowRequest();
    const answer = handler(request);
    for (const piece of cut(toBytes(JSON.stringify(hello("chat"))), [20])) {
      write(new TextDecoder().decode(piece));
      await pass(clock, BODY_TIMEOUT === 0 ? 60 : 1);
    }
    close();
    assert.equal((await answer).status, 200);
    assert.equal(clock.waiting, 0);
  }
});
