import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../lib/config/parse.ts";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { DONE, writeDelta } from "../kit/streams.ts";

const ALICE = "alice-0123456789abcdef";
const BOB = "bob-0123456789abcdef";
const MESSAGE = { max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };

const withKey = (key: string) => ({ headers: { "x-api-key": key } });

test("Gateway.reload() applies to new requests, while those under way keep their settings", async () => {
  let upstream: ReadableStreamDefaultController<Uint8Array> | undefined;
  const held = new ReadableStream<Uint8Array>({ start: (controller) => void (upstream = controller) });
  const encoder = new TextEncoder();
  const end = encoder.encode(writeDelta({}, { finish_reason: "stop" }) + DONE);
  const gateway = createTestGateway({
    settings: {
      GATEWAY_API_KEYS: `alice:${ALICE}`,
      OPENROUTER_API_KEY: "sk-first",
      ANTHROPIC_MODEL: "a/first",
    },
    upstream: (nth) =>
      nth === 0 ? { body: held } : { body: writeDelta({ content: "new" }) + new TextDecoder().decode(end) },
  });
  upstream?.enqueue(encoder.encode(writeDelta({ content: "old" })));
  const open = await gateway.post({ ...MESSAGE, model: "big", stream: true }, withKey(ALICE));

  const names = gateway.reload({
    GATEWAY_API_KEYS: `bob:${BOB}`,
    OPENROUTER_API_KEY: "sk-second",
    ANTHROPIC_MODEL: "a/second",
  });
  assert.deepEqual(names, {
    changed: ["GATEWAY_API_KEYS", "OPENROUTER_API_KEY", "ANTHROPIC_MODEL"],
    restart: [],
  });

  const refused = await gateway.post({ ...MESSAGE, model: "big" }, withKey(ALICE));
  const answered = await gateway.post({ ...MESSAGE, model: "big" }, withKey(BOB));
  assert.deepEqual([refused.status, answered.status], [401, 200]);
  upstream?.enqueue(end);
  upstream?.close();
  assert.match(await open.text(), /"text":"old"[^]*event: message_stop/);
  const sent = gateway.upstream.requests.map((
    { body, headers },
  ) => [body["model"], headers.get("authorization")]);
  assert.deepEqual(sent, [["a/first", "Bearer sk-first"], ["a/second", "Bearer sk-second"]]);
});

test("Gateway.reload() keeps what limits have counted", async () => {
  const limit = (requests: number) => ({ LIMITS: { each: { requests } } });
  const gateway = createTestGateway({ settings: limit(2) });
  const status = async () => (await gateway.post({ ...MESSAGE, model: "demo/echo" })).status;
  assert.equal(await status(), 200);
  gateway.reload(limit(1));
  assert.equal(await status(), 429);
  gateway.reload(limit(3));
  assert.equal(await status(), 200);
});

test("Gateway.reload() keeps the counters and errors, and masks the new secrets", async () => {
  const settings = (key: string): Settings => ({ ENVIRONMENT: "development", OPENROUTER_API_KEY: key });
  const keys = ["first plain secret", "second plain secret"].map((key) => key.replaceAll(" ", "."));
  const gateway = createTestGateway({
    settings: settings(keys[0] ?? ""),
    upstream: {
      status: 400,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: { message: `Bad ${keys.join(" ")}` } }),
    },
  });
  const fail = async () => await (await gateway.post({ ...MESSAGE, model: "a/b" })).text();
  await fail();
  gateway.reload(settings(keys[1] ?? ""));
  await fail();
  const { errors } = await (await gateway.get("/debug/errors/recent?count=5")).json();
  const messages = errors.map(({ error_message }: { error_message: string }) => error_message);
  assert.deepEqual(messages, [`Bad ${keys[0]} [redacted]`, `Bad [redacted] ${keys[1]}`]);
  const metrics = await (await gateway.get("/metrics")).text();
  assert.match(metrics, /status="400"[^\n]* 2\n/);
});

const TOOLS = { TOOLS: "files-read", WORKSPACE_ROOT: "/tmp", GATEWAY_API_KEYS: ALICE };

/** Settings at the start, new ones, and the result of the reload. */
const CASES: [first: Settings, next: Settings, expected: object][] = [
  [{}, {}, { changed: [], restart: [] }],
  [{}, { PORT: 1, VALIDATION: "strict" }, { changed: ["VALIDATION"], restart: ["PORT"] }],
  [{ PING_INTERVAL: "1" }, { PING_INTERVAL: 1 }, { changed: [], restart: [] }],
  [TOOLS, { GATEWAY_API_KEYS: BOB }, { changed: ["GATEWAY_API_KEYS"], restart: ["TOOLS", "WORKSPACE_ROOT"] }],
];

for (const [first, next, expected] of CASES) {
  test(`Gateway.reload() from ${JSON.stringify(first)} to ${JSON.stringify(next)}`, () => {
    assert.deepEqual(createTestGateway({ settings: first }).reload(next), expected);
  });
}

/** New settings that are invalid, by themselves or with the settings that stay in force. */
const REJECTED: [first: Settings, next: Settings, mistake: RegExp][] = [
  [{}, { VALIDATION: "x" }, /^Cannot use VALIDATION "x"/],
  [TOOLS, {}, /^Cannot use TOOLS: GATEWAY_API_KEYS is not set/],
];

for (const [first, next, mistake] of REJECTED) {
  test(`Gateway.reload() rejects ${JSON.stringify(next)} without an effect`, async () => {
    const gateway = createTestGateway({ settings: { GATEWAY_API_KEYS: ALICE, ...first } });
    assert.throws(
      () => gateway.reload({ ...next, ANTHROPIC_MODEL: "x" }),
      (error) => error instanceof ConfigError && mistake.test(error.message),
    );
    assert.equal((await gateway.post({ ...MESSAGE, model: "demo/echo" })).status, 401);
  });
}
