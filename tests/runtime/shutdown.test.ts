import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { toBytes } from "../kit/bytes.ts";
import { parseEvents } from "../kit/events.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { checkGrammar } from "../kit/grammar.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { DONE, writeDelta } from "../kit/streams.ts";
import type { FakeResponse } from "../kit/upstream.ts";

const SECOND = 1000;
const HI = toBytes(writeDelta({ content: "Hi" }));
const END = toBytes(writeDelta({}, { finish_reason: "stop" }) + DONE);

function start(upstream: FakeResponse, settings: { SHUTDOWN_TIMEOUT?: number } = {}) {
  const gateway = createTestGateway({
    settings: { REQUEST_TIMEOUT: 0, IDLE_TIMEOUT: 0, ...settings },
    upstream,
  });
  let stopped = false;
  const stop = () => gateway.stop().then(() => void (stopped = true));
  return { upstream: gateway.upstream, clock: gateway.clock, gateway, stop, isStopped: () => stopped };
}

test("stop() resolves at once if no request is open", async () => {
  const { gateway, clock } = start({});
  await gateway.get("/health");
  await gateway.stop();
  assert.equal(clock.waiting, 0);
});

test("stop() rejects new requests and closes their connections", async () => {
  const { gateway, upstream, stop } = start({ body: [HI, END] });
  await stop();
  for (const response of [await gateway.post(minimalRequest("chat")), await gateway.get("/health")]) {
    assert.equal(response.status, 529);
    assert.equal(response.headers.get("connection"), "close");
    assert.match(response.headers.get("request-id") ?? "", /^req_/);
    const { error } = await response.json();
    assert.deepEqual(error, {
      type: "overloaded_error",
      message: "Cannot accept the request: the gateway is shutting down",
    });
  }
  assert.equal(upstream.requests.length, 0);
});

test("stop() waits for an open answer", async () => {
  for (const stream of [true, false]) {
    const { gateway, clock, stop, isStopped } = start({ body: [HI, END] });
    const answer = gateway.post(minimalRequest("chat", { stream }));
    if (stream) await answer;
    stop();
    await setImmediate();
    if (stream) assert.equal(isStopped(), false);
    const text = await (await answer).text();
    if (stream) assert.equal(checkGrammar(parseEvents(text)), "message_stop");
    else assert.equal(JSON.parse(text).stop_reason, "end_turn");
    await setImmediate();
    assert.equal(isStopped(), true);
    assert.equal(clock.waiting, 0);
  }
});

test("stop() ends answers that exceed SHUTDOWN_TIMEOUT, streamed and whole", async () => {
  const { gateway, clock, upstream, stop, isStopped } = start({ body: [HI], ending: "open" });
  const streamed = (await gateway.post(minimalRequest("chat", { stream: true }))).text();
  const whole = gateway.post(minimalRequest("chat"));
  stop();
  await setImmediate();
  clock.advance(29 * SECOND);
  await setImmediate();
  assert.equal(isStopped(), false);
  clock.advance(SECOND);

  const events = parseEvents(await streamed);
  assert.equal(checkGrammar(events), "error");
  assert.deepEqual(events.at(-1).error, {
    type: "overloaded_error",
    message: "Cannot finish the answer: the gateway is shutting down",
  });
  assert.equal((await whole).status, 529);
  await setImmediate();
  assert.equal(isStopped(), true);
  assert.ok(upstream.idle);
  assert.equal(clock.waiting, 0);
});

test("stop() waits at most one second for a client that does not read the last event", async () => {
  const { gateway, clock, upstream, stop, isStopped } = start({ body: [HI, END] });
  const response = await gateway.post(minimalRequest("chat", { stream: true }));
  stop();
  clock.advance(30 * SECOND);
  await setImmediate();
  assert.equal(isStopped(), false);
  assert.ok(upstream.idle, "the upstream is cancelled nevertheless");
  clock.advance(SECOND);
  await setImmediate();
  assert.equal(isStopped(), true);
  assert.equal(checkGrammar(parseEvents(await response.text())), "error");
});

test("stop() waits without limit if SHUTDOWN_TIMEOUT is 0", async () => {
  const { gateway, clock, stop, isStopped } = start({ body: [HI], ending: "open" }, {
    SHUTDOWN_TIMEOUT: 0,
  });
  const response = await gateway.post(minimalRequest("chat", { stream: true }));
  stop();
  clock.advance(3600 * SECOND);
  await setImmediate();
  assert.equal(isStopped(), false);
  await response.body?.cancel();
  await setImmediate();
  assert.equal(isStopped(), true);
});

test("stop() can be called repeatedly", async () => {
  const { gateway, clock } = start({ body: [HI, END] });
  const response = await gateway.post(minimalRequest("chat", { stream: true }));
  const stops = [gateway.stop(), gateway.stop()];
  await response.text();
  await Promise.all(stops);
  assert.equal(clock.waiting, 0);
});
