import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Wire } from "../../kit/json.ts";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { DONE, writeDelta } from "../../kit/streams.ts";
import { type FakeReply, FakeUpstream } from "../../kit/upstream.ts";
import type { Settings } from "../../../lib/config/settings.ts";

const SECOND = 1000;
const GOOD: FakeReply = {
  body: writeDelta({ content: "Hi" }) + writeDelta({}, { finish_reason: "stop" }) + DONE,
};
const UPSTREAMS = {
  a: { url: "https://a.test/v1", key: "key-of-a" },
  b: { url: "https://b.test/v1", key: "key-of-b" },
  c: { url: "https://c.test/v1", key: "key-of-c" },
};
const ORDERED = { fast: { model: "a/m", fallbacks: ["b/m"] } };
const SHARED = { fast: { targets: ["a/m", "b/m"], fallbacks: ["c/m"] } };

const parse = (text: string): Wire => JSON.parse(text);

const fail = (status: number, headers: Record<string, string> = {}): FakeReply => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ error: { message: "Busy" } }),
});

/** A gateway with upstreams `a`, `b` and `c`, each with a reply that the test may replace. */
function createTargets(settings: Settings = {}) {
  const replies: Record<string, FakeReply> = { a: GOOD, b: GOOD, c: GOOD };
  const sent: string[] = [];
  const upstream: FakeUpstream = new FakeUpstream((nth) => {
    const host = new URL(upstream.requests[nth]?.url ?? "").hostname.split(".")[0] ?? "";
    sent.push(host);
    return replies[host] ?? GOOD;
  });
  const gateway = createTestGateway({ upstream, settings: { UPSTREAMS, MODEL_MAP: ORDERED, ...settings } });
  /** Sends a message. Returns its status, the targets that were called, and the one that answered. */
  const ask = async (headers: Record<string, string> = {}, fields = {}) => {
    const from = sent.length;
    const response = await gateway.post({ ...minimalRequest("chat"), model: "fast", ...fields }, { headers });
    const body = await response.text();
    return {
      status: response.status,
      called: sent.slice(from).join(" "),
      answeredBy: response.headers.get("x-gateway-model"),
      response,
      body,
    };
  };
  return { gateway, replies, ask, sent, clock: gateway.clock };
}

/** Returns the first line of each target in the detailed health of the alias. */
async function healthOf(gateway: TestGateway) {
  const health = parse(await (await gateway.get("/health/detailed")).text());
  return { status: health.status, alias: health.services.aliases.fast };
}

for (const status of [429, 500, 502, 503, 529]) {
  test(`POST /v1/messages skips a target for COOLDOWN after ${status}, then tries it with one request`, async () => {
    const { ask, replies, clock } = createTargets();
    replies.a = fail(status);
    assert.equal((await ask()).called, "a b");
    assert.deepEqual([(await ask()).called, (await ask()).answeredBy], ["b", "b/m"]);
    clock.advance(5 * SECOND);
    assert.equal((await ask()).called, "a b", "the pause is over, and the target still fails");
    clock.advance(9 * SECOND);
    assert.equal((await ask()).called, "b", "the second pause is 10 s");
    clock.advance(SECOND);
    replies.a = GOOD;
    assert.equal((await ask()).called, "a");
    assert.equal((await ask()).called, "a");
  });
}

test("POST /v1/messages skips a target that cannot be connected to", async () => {
  const { ask, replies } = createTargets();
  replies.a = Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } });
  assert.equal((await ask()).called, "a b");
  assert.equal((await ask()).called, "b");
});

for (const status of [400, 401, 402, 403, 404, 413]) {
  test(`POST /v1/messages does not skip a target after ${status}`, async () => {
    const { ask, replies } = createTargets();
    replies.a = fail(status);
    const first = await ask();
    replies.a = GOOD;
    assert.equal((await ask()).called, "a", first.called);
  });
}

test("POST /v1/messages skips a target until the time of retry-after, up to COOLDOWN_MAX", async () => {
  const { ask, replies, clock } = createTargets({ COOLDOWN_MAX: 60 });
  replies.a = fail(429, { "retry-after": "30" });
  await ask();
  clock.advance(29 * SECOND);
  assert.equal((await ask()).called, "b");
  clock.advance(SECOND);
  replies.a = fail(429, { "retry-after": "86400" });
  assert.equal((await ask()).called, "a b");
  clock.advance(59 * SECOND);
  assert.equal((await ask()).called, "b");
  clock.advance(SECOND);
  assert.equal((await ask()).called, "a b");
});

test("POST /v1/messages calls the target whose pause ends first if all cool down", async () => {
  const { ask, replies, clock } = createTargets();
  replies.a = fail(500);
  replies.b = fail(500);
  assert.equal((await ask()).called, "a b");
  clock.advance(SECOND);
  assert.equal((await ask()).called, "a b", "both end at one time, so the first comes first");
  replies.b = GOOD;
  const answered = await ask();
  assert.deepEqual([answered.status, answered.called], [200, "a b"]);
  assert.equal((await ask()).called, "b");
});

test("POST /v1/messages answers with retry-after if each target stated when it answers again", async () => {
  const { ask, replies, clock } = createTargets();
  replies.a = fail(429, { "retry-after": "30" });
  replies.b = fail(429, { "retry-after": "20" });
  const failed = await ask();
  assert.deepEqual([failed.status, failed.called], [429, "a b"]);
  clock.advance(5 * SECOND);
  const early = await ask();
  assert.deepEqual([early.status, early.called, early.response.headers.get("retry-after")], [429, "", "15"]);
  const { type, error, request_id } = parse(early.body);
  assert.equal(type, "error");
  assert.equal(error.type, "rate_limit_error");
  assert.equal(
    error.message,
    'Cannot use model "fast": each of its upstreams asked for a pause, which ends in 15 s at the earliest',
  );
  assert.equal(request_id, early.response.headers.get("request-id"));
  replies.b = GOOD;
  clock.advance(15 * SECOND);
  assert.equal((await ask()).called, "b");
});

test("POST /v1/messages is overloaded if each target stated its outage; another one is called", async () => {
  const { ask, replies } = createTargets();
  replies.a = fail(503, { "retry-after": "30" });
  replies.b = fail(503, { "retry-after": "30" });
  await ask();
  const early = await ask();
  assert.deepEqual([early.status, parse(early.body).error.type], [529, "overloaded_error"]);
  const mixed = createTargets();
  mixed.replies.a = fail(503, { "retry-after": "3" });
  mixed.replies.b = fail(503);
  await mixed.ask();
  assert.equal((await mixed.ask()).called, "b");
});

test("POST /v1/messages tries a half-open target with one request at a time", async () => {
  const { ask, replies, clock, sent, gateway } = createTargets();
  replies.a = fail(503);
  await ask();
  clock.advance(5 * SECOND);
  replies.a = "no headers";
  const stop = new AbortController();
  const probe = gateway.post({ ...minimalRequest("chat"), model: "fast" }, { signal: stop.signal }).catch(
    () => {},
  );
  while (sent.length < 3) await setImmediate();
  for (const answer of await Promise.all([ask(), ask(), ask()])) assert.equal(answer.answeredBy, "b/m");
  assert.deepEqual(sent, ["a", "b", "a", "b", "b", "b"]);
  // The request ends without a result: the next one tries the target.
  stop.abort();
  await probe;
  replies.a = GOOD;
  assert.equal((await ask()).called, "a");
});

test("POST /v1/messages sends several requests to a half-open target if no other is available", async () => {
  const { ask, replies, clock, sent, gateway } = createTargets();
  replies.a = fail(503);
  replies.b = fail(503, { "retry-after": "60" });
  await ask();
  clock.advance(5 * SECOND);
  replies.a = "no headers";
  const stop = new AbortController();
  const probe = gateway.post({ ...minimalRequest("chat"), model: "fast" }, { signal: stop.signal }).catch(
    () => {},
  );
  while (sent.length < 3) await setImmediate();
  replies.a = GOOD;
  assert.equal((await ask()).called, "a");
  stop.abort();
  await probe;
});

test("POST /v1/messages distributes requests among targets, and calls fallbacks after all of them", async () => {
  const { ask, replies, sent } = createTargets({
    MODEL_MAP: { fast: { targets: [{ model: "a/m", weight: 3 }, "b/m"], fallbacks: ["c/m"] } },
  });
  for (let nth = 0; nth < 200; nth++) await ask();
  const share = sent.filter((host) => host === "a").length / sent.length;
  assert.ok(share > 0.65 && share < 0.85, `a has ${share}`);
  assert.ok(!sent.includes("c"));
  replies.a = fail(503);
  replies.b = fail(503);
  assert.match((await ask()).called, /^(a b|b a) c$/);
  assert.equal((await ask()).called, "c");
});

test("POST /v1/messages keeps a session at the target that answered it while that is healthy", async () => {
  const { ask, replies, clock, sent } = createTargets({ MODEL_MAP: SHARED });
  const sessions = Array.from({ length: 20 }, (_, nth) => ({ "x-claude-code-session-id": `session-${nth}` }));
  const first = [];
  for (const session of sessions) first.push((await ask(session)).answeredBy);
  assert.deepEqual(new Set(first), new Set(["a/m", "b/m"]));
  for (const [nth, session] of sessions.entries()) assert.equal((await ask(session)).answeredBy, first[nth]);
  replies.a = fail(503);
  for (const session of sessions) assert.equal((await ask(session)).answeredBy, "b/m");
  replies.a = GOOD;
  clock.advance(5 * SECOND);
  sent.length = 0;
  for (const session of sessions) {
    assert.equal((await ask(session)).answeredBy, "b/m", "its cache is there now");
  }
  assert.deepEqual(new Set(sent), new Set(["b"]));
});

test("POST /v1/messages returns from a fallback to the targets before it, also for a session", async () => {
  const { ask, replies, clock } = createTargets();
  const session = { "x-claude-code-session-id": "session" };
  replies.a = fail(503);
  assert.equal((await ask(session)).answeredBy, "b/m");
  replies.a = GOOD;
  clock.advance(5 * SECOND);
  assert.equal((await ask(session)).answeredBy, "a/m");
});

test("POST /v1/messages ends with an error after the first byte, and skips the target afterwards", async () => {
  const { ask, replies } = createTargets();
  replies.a = {
    body: writeDelta({ content: "Hel" }) + 'data: {"error":{"message":"Busy","code":503}}\n\n',
  };
  const cut = await ask({}, { stream: true });
  assert.deepEqual([cut.status, cut.called], [200, "a"]);
  assert.match(cut.body, /event: error/);
  assert.doesNotMatch(cut.body, /message_stop/);
  assert.equal((await ask()).called, "b");
});

test("POST /v1/messages counts parallel failures once", async () => {
  const { ask, replies, clock } = createTargets();
  replies.a = fail(503);
  await Promise.all([ask(), ask(), ask(), ask()]);
  clock.advance(5 * SECOND);
  replies.a = GOOD;
  assert.equal((await ask()).called, "a");
});

test("COOLDOWN=0 skips no target", async () => {
  const { ask, replies } = createTargets({ COOLDOWN: 0 });
  replies.a = fail(429, { "retry-after": "30" });
  assert.equal((await ask()).called, "a b");
  assert.equal((await ask()).called, "a b");
});

test("POST /v1/messages calls a failing model if it has no alternatives", async () => {
  const { ask, replies } = createTargets({ MODEL_MAP: { fast: "a/m" } });
  replies.a = fail(429, { "retry-after": "30" });
  assert.equal((await ask()).called, "a");
  assert.equal((await ask()).called, "a");
});

test("POST /v1/messages does not skip a target because the key of one client is limited", async () => {
  const { ask, replies } = createTargets({
    OPENROUTER_API_KEY: undefined,
    MODEL_MAP: { fast: { model: "vendor/m", fallbacks: ["b/m"] } },
    OPENROUTER_BASE_URL: "https://a.test/v1",
  });
  replies.a = fail(429);
  assert.equal((await ask({ "x-api-key": "sk-or-alice" })).called, "a b");
  replies.a = GOOD;
  assert.equal((await ask({ "x-api-key": "sk-or-bob" })).called, "a");
});

test("POST /v1/messages distinguishes targets of one model by their options", async () => {
  const only = (provider: string) => ({ model: "a/m", options: { provider: { only: [provider] } } });
  const { ask, replies, gateway } = createTargets({
    MODEL_MAP: { fast: { ...only("first"), fallbacks: [only("second")] } },
  });
  replies.a = fail(503);
  assert.equal((await ask()).called, "a a");
  replies.a = GOOD;
  await ask();
  const { alias } = await healthOf(gateway);
  assert.equal(alias.targets.length, 2);
  assert.notEqual(alias.targets[0].target, alias.targets[1].target);
});

test("POST /v1/messages keeps failures over a change of the settings", async () => {
  const { ask, replies, gateway } = createTargets();
  replies.a = fail(503);
  await ask();
  gateway.reload({ UPSTREAMS, MODEL_MAP: ORDERED, ANTHROPIC_MODEL: "b/m" });
  assert.equal((await ask()).called, "b");
  replies.a = GOOD;
  gateway.reload({ UPSTREAMS, MODEL_MAP: ORDERED, COOLDOWN: 0 });
  assert.equal((await ask()).called, "a");
});

test("GET /health/detailed and GET /metrics have the state of each target", async () => {
  const { ask, replies, clock, gateway } = createTargets({ MODEL_MAP: SHARED });
  assert.deepEqual((await healthOf(gateway)).alias, {
    status: "healthy",
    targets: [
      { target: "a/m", state: "healthy", group: 0, weight: 1 },
      { target: "b/m", state: "healthy", group: 0, weight: 1 },
      { target: "c/m", state: "healthy", group: 1, weight: 1 },
    ],
  });
  for (const host of ["a", "b", "c"]) replies[host] = fail(503);
  await ask();
  const down = await healthOf(gateway);
  assert.deepEqual([down.status, down.alias.status], ["degraded", "unavailable"]);
  assert.deepEqual(down.alias.targets[0], {
    target: "a/m",
    state: "cooling",
    failures: 1,
    last_status: 529,
    retry_in_s: 5,
    group: 0,
    weight: 1,
  });
  clock.advance(5 * SECOND);
  replies.a = GOOD;
  const session = { "x-claude-code-session-id": "any" };
  while ((await ask(session)).answeredBy !== "a/m") clock.advance(60 * SECOND);
  const metrics = await (await gateway.get("/metrics")).text();
  assert.match(metrics, /^gateway_cooldowns_total\{model="a\/m"\} 1$/m);
  assert.match(metrics, /^gateway_target_cooling\{model="a\/m"\} 0$/m);
  assert.match(metrics, /^gateway_target_cooling\{model="b\/m"\} [01]$/m);
});

test("POST /v1/messages/count_tokens counts while all targets cool down", async () => {
  const { ask, replies, gateway } = createTargets();
  replies.a = fail(429, { "retry-after": "30" });
  replies.b = fail(429, { "retry-after": "30" });
  await ask();
  const { max_tokens: _, ...request } = minimalRequest("chat");
  const counted = await gateway.post({ ...request, model: "fast" }, { path: "/v1/messages/count_tokens" });
  assert.equal(counted.status, 200);
  assert.match(await counted.text(), /input_tokens/);
});
