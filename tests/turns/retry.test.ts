import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { toBytes } from "../kit/bytes.ts";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { SEARCH, SEARCHING, WEATHER } from "../kit/requests/searched_tools.ts";
import { DONE, writeDelta } from "../kit/streams.ts";
import type { FakeResponse } from "../kit/upstream.ts";

const SECOND = 1000;
const GOOD: FakeResponse = {
  body: [writeDelta({ content: "Hi" }), writeDelta({}, { finish_reason: "stop" }) + DONE].map(toBytes),
};
const fail = (
  status: number,
  headers: Record<string, string> = {},
  error: unknown = { message: "Busy" },
) => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ error }),
});
const refused = () =>
  Object.assign(new TypeError("fetch failed"), {
    cause: Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
  });

/** Sends a message to a gateway whose upstream gives these replies, and advances the clock until the response. */
async function send(replies: (FakeResponse | Error)[], retries: number, stream = false) {
  const settings = { UPSTREAM_RETRIES: retries };
  // A date below is relative to the start of the clock.
  const { upstream, clock, post } = createTestGateway({
    upstream: replies,
    settings,
    clock: new FakeClock(0),
  });
  let response: Response | undefined;
  post(minimalRequest("chat", { stream })).then((answer) => response = answer);
  let waited = 0;
  for (await setImmediate(); response === undefined; await setImmediate()) {
    assert.ok(waited < 60 * SECOND, "the response comes within a minute");
    clock.advance(100);
    waited += 100;
  }
  const text = await response.text();
  await setImmediate();
  assert.ok(upstream.idle, "every response body is read or cancelled");
  return { status: response.status, response, text, waited, attempts: upstream.requests.length };
}

test("POST /v1/messages calls the upstream once by default, since clients retry themselves", async () => {
  const { upstream, post } = createTestGateway({ upstream: fail(503) });
  assert.equal((await post(minimalRequest("chat"))).status, 529);
  assert.equal(upstream.requests.length, 1);
});

for (const status of [408, 429, 502, 503, 529]) {
  test(`UPSTREAM_RETRIES repeats a request after ${status}`, async () => {
    for (const retries of [1, 2]) {
      const { attempts, status: received, waited } = await send([fail(status)], retries);
      assert.equal(attempts, retries + 1);
      assert.ok(received >= 400);
      assert.equal(waited, retries === 1 ? 500 : 1500);
    }
    for (const stream of [true, false]) {
      const { attempts, status: received, text } = await send([fail(status), GOOD], 2, stream);
      assert.deepEqual([attempts, received], [2, 200]);
      assert.match(text, /Hi/);
    }
  });
}

for (const status of [301, 307, 400, 401, 402, 403, 404, 409, 413, 422, 500, 501, 504, 520, 524]) {
  test(`UPSTREAM_RETRIES does not repeat a request after ${status}`, async () => {
    assert.equal((await send([fail(status)], 2)).attempts, 1);
  });
}

test("UPSTREAM_RETRIES repeats a request after a failed connection on every runtime", async () => {
  const deno = new TypeError("fetch failed", {
    cause: new Error(
      "error sending request for url (http://a/): client error (Connect): refused (os error 111)",
    ),
  });
  const bun = Object.assign(new TypeError("Unable to connect"), { code: "ECONNREFUSED" });
  for (const failure of [refused(), deno, bun]) {
    const { attempts, status } = await send([failure, GOOD], 1);
    assert.deepEqual([attempts, status], [2, 200]);
  }
});

test("UPSTREAM_RETRIES repeats a connection attempt that timed out, then returns a timeout", async () => {
  const cause = Object.assign(new Error("Connect Timeout Error"), { code: "UND_ERR_CONNECT_TIMEOUT" });
  const { attempts, status, text } = await send([new TypeError("fetch failed", { cause })], 1);
  assert.deepEqual([attempts, status], [2, 504]);
  assert.match(
    text,
    /"timeout_error","message":"Cannot connect to upstream \\"openrouter\\": the connection timed out"/,
  );
});

test("UPSTREAM_RETRIES does not repeat a request after a broken connection, which may have been processed", async () => {
  for (const code of ["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]) {
    const cause = Object.assign(new Error("other side closed"), { code });
    const { attempts, status } = await send([new TypeError("fetch failed", { cause })], 2);
    assert.deepEqual([attempts, status], [1, 502]);
  }
});

test("UPSTREAM_RETRIES does not repeat a request after the response has begun", async () => {
  const broken: FakeResponse[] = [
    { body: [] },
    { body: [], ending: "reset" },
    { body: [toBytes(": OPENROUTER PROCESSING\n\n")], ending: "reset" },
    { body: [toBytes('data: {"error":{"code":503,"message":"Busy"}}\n\n')] },
    { headers: { "content-type": "text/html" }, body: [toBytes("<html>")] },
  ];
  for (const answer of broken) {
    for (const stream of [true, false]) assert.equal((await send([answer], 2, stream)).attempts, 1);
  }
});

test("UPSTREAM_RETRIES waits for retry-after up to ten seconds", async () => {
  const waits: [retryAfter: string, attempts: number, waited: number][] = [
    ["0", 2, 100], // the clock advances in steps of 100 ms
    ["3", 2, 3 * SECOND],
    ["10", 2, 10 * SECOND],
    ["11", 1, 0],
    ["3600", 1, 0],
    ["soon", 2, 500],
    [new Date(4 * SECOND).toUTCString(), 2, 4 * SECOND], // the clock starts in 1970
    [new Date(60 * SECOND).toUTCString(), 1, 0],
  ];
  for (const [wanted, attempts, waited] of waits) {
    const answer = await send([fail(429, { "retry-after": wanted })], 1);
    assert.deepEqual([answer.attempts, answer.waited], [attempts, waited], wanted);
    const passed = wanted === "soon" ? null : wanted;
    assert.equal(answer.response.headers.get("retry-after"), passed, "the client receives it too");
  }
});

test("UPSTREAM_RETRIES does not repeat a request if the upstream states that a retry cannot succeed", async () => {
  const empty = { code: "insufficient_quota", message: "You exceeded your current quota" };
  assert.equal((await send([fail(429, {}, empty)], 2)).attempts, 1);
});

test("UPSTREAM_RETRIES stops when the client disconnects", async () => {
  const settings = { UPSTREAM_RETRIES: 2 };
  const { upstream, clock, post } = createTestGateway({ upstream: fail(503), settings });
  const client = new AbortController();
  const answer = post(minimalRequest("chat"), { signal: client.signal });
  await setImmediate();
  assert.equal(upstream.requests.length, 1);
  client.abort();
  assert.ok((await answer).status >= 400);
  clock.advance(60 * SECOND);
  await setImmediate();
  assert.equal(upstream.requests.length, 1);
  assert.equal(clock.waiting, 0);
});

test("UPSTREAM_RETRIES repeats a request before the fallbacks", async () => {
  const MODEL_MAP = { fast: { model: "vendor/model", fallbacks: ["vendor/other"] } };
  const { upstream, clock, post } = createTestGateway({
    upstream: [fail(503), fail(503), GOOD],
    settings: { UPSTREAM_RETRIES: 1, MODEL_MAP },
  });
  const answer = post(minimalRequest("chat", { model: "fast" }));
  await setImmediate();
  clock.advance(500);
  assert.equal((await answer).headers.get("x-gateway-model"), "openrouter/vendor/other");
  const models = upstream.requests.map(({ body }) => body.model);
  assert.deepEqual(models, ["vendor/model", "vendor/model", "vendor/other"]);
});

const CALLING: FakeResponse = { body: SEARCHING.map(toBytes) };
const PENDING = [
  { role: "user", content: "Does it rain?" },
  {
    role: "assistant",
    content: [{
      type: "server_tool_use",
      id: "srvtoolu_1",
      name: SEARCH.name,
      input: { pattern: "weather" },
    }],
  },
];

/** What precedes a turn: the replies of the upstream to earlier turns, and the conversation of the client. */
const TURNS = [
  { turn: "the first turn", repeats: true, earlier: [], fields: {} },
  { turn: "a turn after the run of a tool", repeats: false, earlier: [CALLING], fields: {} },
  {
    turn: "a turn after the run of an earlier call",
    repeats: false,
    earlier: [],
    fields: { messages: PENDING },
  },
];

for (const { turn, repeats, earlier, fields } of TURNS) {
  const verb = repeats ? "repeats" : "does not repeat";

  test(`UPSTREAM_RETRIES ${verb} ${turn}`, async () => {
    for (const failure of [fail(503), refused()]) {
      const { upstream, clock, post } = createTestGateway({
        upstream: [...earlier, failure, GOOD],
        settings: { UPSTREAM_RETRIES: 1 },
      });
      const answer = post(minimalRequest("chat", { tools: [SEARCH, WEATHER], ...fields }));
      while (upstream.requests.length <= earlier.length) await setImmediate();
      await setImmediate();
      clock.advance(SECOND);
      const { status, headers } = await answer;
      assert.equal(upstream.requests.length, earlier.length + (repeats ? 2 : 1));
      assert.equal(status === 200, repeats);
      assert.equal(headers.get("x-should-retry"), repeats ? null : "false");
    }
  });

  test(`POST /v1/messages ${verb} ${turn} without a refused field`, async () => {
    const refusal = fail(400, {}, { message: "Unrecognized request argument supplied: temperature" });
    const { upstream, post } = createTestGateway({ upstream: [...earlier, refusal, GOOD] });
    const body = minimalRequest("chat", { tools: [SEARCH, WEATHER], temperature: 0.5, ...fields });
    const { status } = await post(body);
    assert.equal(upstream.requests.length, earlier.length + (repeats ? 2 : 1));
    assert.equal(status, repeats ? 200 : 400);
  });
}
