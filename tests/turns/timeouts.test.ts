import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Settings } from "../../lib/config/settings.ts";
import { createPushStream, cutBySizes, toBytes } from "../kit/bytes.ts";
import type { FakeClock } from "../kit/clock.ts";
import { parseEvents } from "../kit/events.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { checkGrammar } from "../kit/grammar.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { DONE, writeDelta } from "../kit/streams.ts";
import type { FakeReply } from "../kit/upstream.ts";

const SECOND = 1000;
const SETTINGS = { FIRST_BYTE_TIMEOUT: 300, IDLE_TIMEOUT: 120, PING_INTERVAL: 10, HOLD_TIMEOUT: 10 };

const writeText = (content: string) => toBytes(writeDelta({ content }));
const END = toBytes(writeDelta({}, { finish_reason: "stop" }) + DONE);
const COMMENT = toBytes(": OPENROUTER PROCESSING\n\n");
const ROLE = toBytes(writeDelta({ role: "assistant", content: "" }));

/** Advances the clock second by second, after all pending work. */
async function passSeconds(clock: FakeClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await setImmediate();
    clock.advance(SECOND);
  }
  await setImmediate();
}

/** Returns true if a promise has settled. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  await setImmediate();
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

/** Sends a message to a gateway in front of this upstream, and waits until it reaches the upstream. */
async function send(replies: FakeReply, stream: boolean, settings: Settings = {}) {
  const { upstream, clock, post } = createTestGateway({
    upstream: replies,
    settings: { ...SETTINGS, ...settings },
  });
  const answer = post(minimalRequest("chat", { stream }));
  while (upstream.requests.length === 0) await setImmediate();
  return { upstream, clock, answer };
}

/** Sends a message for a stream whose upstream body the test writes. */
async function sendOpen(settings: Settings = {}) {
  const { readable, write, close } = createPushStream();
  return { ...await send({ body: readable }, true, settings), write, close };
}

test("FIRST_BYTE_TIMEOUT ends a request whose upstream sends no headers", async () => {
  const { upstream, clock, answer } = await send("no headers", false);
  await passSeconds(clock, 299);
  assert.equal(await isSettled(answer), false);
  await passSeconds(clock, 1);
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

test("FIRST_BYTE_TIMEOUT ends a stream whose answer does not begin, by an error event", async () => {
  for (const sign of [COMMENT, ROLE]) {
    const { upstream, clock, answer, write } = await sendOpen();
    await passSeconds(clock, 200);
    write(sign); // bytes, but no content
    await passSeconds(clock, 299);
    const response = await answer;
    assert.equal(response.status, 200);
    const text = response.text();
    assert.equal(await isSettled(text), false);
    await passSeconds(clock, 1);
    const events = parseEvents(await text);
    assert.equal(checkGrammar(events), "error");
    assert.equal(events.at(-1).error.type, "timeout_error");
    assert.ok(upstream.idle);
    assert.equal(clock.waiting, 0);
  }
});

test("IDLE_TIMEOUT ends an answer that stalls", async () => {
  const { upstream, clock, answer, write } = await sendOpen();
  await setImmediate();
  write(writeText("Hello"));
  const text = (await answer).text();
  await passSeconds(clock, 100);
  write(ROLE); // an event, but no content
  await passSeconds(clock, 100);
  write(COMMENT); // not an event
  await passSeconds(clock, 19);
  assert.equal(await isSettled(text), false);
  await passSeconds(clock, 1);
  const events = parseEvents(await text);
  assert.equal(checkGrammar(events), "error");
  assert.match(events.at(-1).error.message, /it sent nothing for 120 s$/);
  assert.ok(upstream.idle);
  assert.equal(clock.waiting, 0);
});

test("IDLE_TIMEOUT does not count while a slow client holds the upstream back", async () => {
  const { clock, answer, write, close } = await sendOpen();
  await setImmediate();
  write(writeText("Hello"));
  const reader = (await answer).body?.getReader();
  assert.ok(reader);
  await reader.read();
  await passSeconds(clock, 1000);
  write(END);
  close();
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text += new TextDecoder().decode(read.value);
  }
  assert.match(text, /event: message_stop\n.*\n\n$/);
});

test("FIRST_BYTE_TIMEOUT, IDLE_TIMEOUT and REQUEST_TIMEOUT of 0 set no limit", async () => {
  const limits = { FIRST_BYTE_TIMEOUT: 0, IDLE_TIMEOUT: 0, REQUEST_TIMEOUT: 0 };
  const { clock, answer, write, close } = await sendOpen(limits);
  await passSeconds(clock, 10_000);
  write(writeText("Hello"));
  await passSeconds(clock, 10_000);
  write(END);
  close();
  assert.equal(checkGrammar(parseEvents(await (await answer).text())), "message_stop");
});

test("FIRST_BYTE_TIMEOUT replaces a stalled upstream by a fallback", async () => {
  const MODEL_MAP = { fast: { model: "vendor/model", fallbacks: ["vendor/other"] } };
  const { upstream, clock, post } = createTestGateway({
    upstream: ["no headers", { body: [writeText("Hi"), END] }],
    settings: { ...SETTINGS, MODEL_MAP },
  });
  const answer = post(minimalRequest("chat", { model: "fast" }));
  await passSeconds(clock, 300);
  const response = await answer;
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-gateway-model"), "openrouter/vendor/other");
  assert.ok(upstream.idle);
});

test("BODY_TIMEOUT rejects a request whose body does not arrive with 408", async () => {
  const { clock, post } = createTestGateway({ settings: { BODY_TIMEOUT: 60 } });
  const { readable, write } = createPushStream();
  const answer = post(readable);
  for (let second = 0; second < 60; second++) {
    assert.equal(await isSettled(answer), false);
    write(toBytes(" "));
    await passSeconds(clock, 1);
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

test("BODY_TIMEOUT does not limit a request whose body has arrived", async () => {
  for (const BODY_TIMEOUT of [60, 0]) {
    const { clock, post } = createTestGateway({
      upstream: { body: [writeText("Hi"), END] },
      settings: { BODY_TIMEOUT },
    });
    const { readable, write, close } = createPushStream();
    const answer = post(readable);
    for (const piece of cutBySizes(toBytes(JSON.stringify(minimalRequest("chat"))), [20])) {
      write(piece);
      await passSeconds(clock, BODY_TIMEOUT === 0 ? 60 : 1);
    }
    close();
    assert.equal((await answer).status, 200);
    assert.equal(clock.waiting, 0);
  }
});
