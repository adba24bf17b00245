import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createGateway } from "../../lib/gateway.ts";
import { checkGrammar, readFrames } from "../properties/grammar.ts";
import { type Answer, hello, post, TestClock, TestUpstream, toBytes } from "../properties/support.ts";

const SECOND = 1000;
const HI = toBytes('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n');
const END = toBytes('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');

function start(answer: Answer, settings: { SHUTDOWN_TIMEOUT?: number } = {}) {
  const upstream = new TestUpstream(answer);
  const clock = new TestClock();
  const gateway = createGateway({
    settings: { OPENROUTER_API_KEY: "k", REQUEST_TIMEOUT: 0, IDLE_TIMEOUT: 0, ...settings },
    fetch: upstream.fetch,
    clock,
  });
  let stopped = false;
  const stop = () => gateway.stop().then(() => void (stopped = true));
  return { upstream, clock, gateway, stop, isStopped: () => stopped };
}

test("stop() settles at once where nothing is open", async () => {
  const { gateway, clock } = start({});
  await gateway.fetch(new Request("http://localhost/health"));
  await gateway.stop();
  assert.equal(clock.waiting, 0);
});

test("stop() turns new requests away, for good, and on to other connections", async () => {
  const { gateway, upstream, stop } = start({ pieces: [HI, END] });
  await stop();
  for (const request of [post(hello("chat")), new Request("http://localhost/health")]) {
    const response = await gateway.fetch(request);
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

test("stop() lets an open answer be said to its end", async () => {
  for (const stream of [true, false]) {
    const { gateway, clock, stop, isStopped } = start({ pieces: [HI, END] });
    const answer = gateway.fetch(post(hello("chat", { stream })));
    if (stream) await answer;
    stop();
    await setImmediate();
    if (stream) assert.equal(isStopped(), false);
    const text = await (await answer).text();
    if (stream) assert.equal(checkGrammar(readFrames(text)), "message_stop");
    else assert.equal(JSON.parse(text).stop_reason, "end_turn");
    await setImmediate();
    assert.equal(isStopped(), true);
    assert.equal(clock.waiting, 0);
  }
});

test("stop() ends what takes longer than SHUTDOWN_TIMEOUT, each in its own way", async () => {
  const { gateway, clock, upstream, stop, isStopped } = start({ pieces: [HI], ending: "silence" });
  const streamed = (await gateway.fetch(post(hello("chat", { stream: true })))).text();
  const whole = gateway.fetch(post(hello("chat")));
  stop();
  await setImmediate();
  clock.pass(29 * SECOND);
  await setImmediate();
  assert.equal(isStopped(), false);
  clock.pass(SECOND);

  const events = readFrames(await streamed);
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

test("stop() waits for a client that does not read its last words no longer than a second", async () => {
  const { gateway, clock, upstream, stop, isStopped } = start({ pieces: [HI, END] });
  const response = await gateway.fetch(post(hello("chat", { stream: true })));
  stop();
  clock.pass(30 * SECOND);
  await setImmediate();
  assert.equal(isStopped(), false);
  assert.ok(upstream.idle, "the upstream is let go all the same");
  clock.pass(SECOND);
  await setImmediate();
  assert.equal(isStopped(), true);
  assert.equal(checkGrammar(readFrames(await response.text())), "error");
});

test("stop() waits as long as it takes where SHUTDOWN_TIMEOUT is 0", async () => {
  const { gateway, clock, stop, isStopped } = start({ pieces: [HI], ending: "silence" }, {
    SHUTDOWN_TIMEOUT: 0,
  });
  const response = await gateway.fetch(post(hello("chat", { stream: true })));
  stop();
  clock.pass(3600 * SECOND);
  await setImmediate();
  assert.equal(isStopped(), false);
  await response.body?.cancel();
  await setImmediate();
  assert.equal(isStopped(), true);
});

test("stop() counts as one, however often it is called", async () => {
  const { gateway, clock } = start({ pieces: [HI, END] });
  const response = await gateway.fetch(post(hello("chat", { stream: true })));
  const stops = [gateway.stop(), gateway.stop()];
  await response.text();
  await Promise.all(stops);
  assert.equal(clock.waiting, 0);
});
