import assert from "node:assert/strict";
import { test } from "node:test";
import type { LimitsInput } from "../../lib/config/limits.ts";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { dig, type Json } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { writeChunk, writeChunks, writeDelta } from "../kit/streams.ts";
import { type FakeReply, type FakeResponse, FakeUpstream } from "../kit/upstream.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOON = Date.UTC(2026, 0, 31, 12);

/** A response of chat completions that reports this usage. */
function chat(usage: Json = { prompt_tokens: 10, completion_tokens: 5, cost: 0.5 }): { body: string } {
  const end = { choices: [{ delta: {}, finish_reason: "stop" }], usage };
  return { body: writeChunks({ choices: [{ delta: { content: "Hello" } }] }, end) };
}

function createLimitedGateway(
  LIMITS: LimitsInput,
  upstream: FakeUpstream | FakeReply = chat(),
): TestGateway {
  return createTestGateway({ settings: { LIMITS }, upstream, clock: new FakeClock(NOON) });
}

interface MessageOptions {
  stream?: boolean;
  content?: string;
  session?: string;
  signal?: AbortSignal;
  model?: string;
}

function sendMessage({ post }: TestGateway, options: MessageOptions = {}): Promise<Response> {
  const { stream = false, content = "Hi", session, signal, model = "vendor/model" } = options;
  const body = { model, max_tokens: 9, stream, messages: [{ role: "user", content }] };
  return post(body, {
    headers: session === undefined ? {} : { "x-claude-code-session-id": session },
    ...(signal && { signal }),
  });
}

function countTokens({ post }: TestGateway): Promise<Response> {
  const body = { model: "vendor/model", messages: [{ role: "user", content: "Hi" }] };
  return post(body, { path: "/v1/messages/count_tokens" });
}

/** Returns the parts of a refusal that clients read. */
async function refusalOf(response: Response): Promise<(string | number | null)[]> {
  const body: unknown = await response.json();
  const { headers } = response;
  assert.equal(dig(body, "request_id"), headers.get("request-id"));
  return [
    response.status,
    String(dig(body, "error", "type")),
    headers.get("retry-after"),
    headers.get("x-should-retry"),
    String(dig(body, "error", "message")).replace("Cannot accept the request: ", ""),
  ];
}

const RATE = [429, "rate_limit_error"] as const;
const OVER = [402, "billing_error", null, "false"] as const;

interface Case {
  limits: LimitsInput;
  /** The number of requests that are admitted. */
  admitted: number;
  refusal: (string | number | null)[];
  /** The time until the next request is admitted, in milliseconds. */
  again: number;
}

const CASES: Case[] = [
  {
    limits: { each: { requests: 3 } },
    admitted: 3,
    refusal: [...RATE, "20", null, 'key "local" has reached its limit of 3 requests per minute'],
    again: 20 * SECOND,
  },
  {
    limits: { total: { requests: 7 } },
    admitted: 7,
    refusal: [...RATE, "9", null, "the gateway has reached its limit of 7 requests per minute"],
    again: 9 * SECOND,
  },
  {
    limits: { session: { requests: 1 } },
    admitted: 1,
    refusal: [...RATE, "60", null, "this session has reached its limit of 1 requests per minute"],
    again: MINUTE,
  },
  {
    limits: { each: { requests: 1 }, keys: { local: { requests: 2 } } },
    admitted: 2,
    refusal: [...RATE, "30", null, 'key "local" has reached its limit of 2 requests per minute'],
    again: 30 * SECOND,
  },
  {
    // Each answer reports 10 tokens of input, independent of the estimate.
    limits: { each: { input_tokens: 25 } },
    admitted: 2,
    refusal: [...RATE, "10", null, 'key "local" has reached its limit of 25 input tokens per minute'],
    again: 10 * SECOND,
  },
  {
    // The output is counted after the answer: the third is admitted, and its 5 tokens have to drain.
    limits: { each: { output_tokens: 12 } },
    admitted: 3,
    refusal: [...RATE, "15", null, 'key "local" has reached its limit of 12 output tokens per minute'],
    again: 16 * SECOND,
  },
  {
    limits: { each: { usd_day: 1 } },
    admitted: 2,
    refusal: [
      ...OVER,
      'the budget of key "local" for this day is spent; it renews at 2026-02-01T00:00:00Z',
    ],
    again: 12 * HOUR,
  },
  {
    limits: { each: { usd_day: 9, usd_month: 0.9 } },
    admitted: 2,
    refusal: [
      ...OVER,
      'the budget of key "local" for this month is spent; it renews at 2026-02-01T00:00:00Z',
    ],
    again: 12 * HOUR,
  },
  {
    limits: { total: { usd_day: 0.5 }, each: { requests: 1 } },
    admitted: 1,
    refusal: [
      ...OVER,
      "the budget of the gateway for this day is spent; it renews at 2026-02-01T00:00:00Z",
    ],
    again: 12 * HOUR,
  },
  {
    limits: { session: { usd_month: 1.2 } },
    admitted: 3,
    refusal: [
      ...OVER,
      "the budget of this session for this month is spent; it renews at 2026-02-01T00:00:00Z",
    ],
    again: 12 * HOUR,
  },
];

for (const { limits, admitted, refusal, again } of CASES) {
  test(`LIMITS ${JSON.stringify(limits)} admits ${admitted}, rejects the next, and admits again in time`, async () => {
    const on = createLimitedGateway(limits);
    for (let nth = 1; nth <= admitted; nth++) {
      const response = await sendMessage(on, { session: "s-1" });
      assert.equal(response.status, 200, `the ${nth}th`);
      await response.text();
    }
    assert.deepEqual(await refusalOf(await sendMessage(on, { session: "s-1" })), refusal);
    assert.equal(on.upstream.requests.length, admitted, "a rejected request does not reach the upstream");
    on.clock.advance(again - SECOND);
    assert.equal((await sendMessage(on, { session: "s-1" })).status, refusal[0]);
    on.clock.advance(SECOND);
    const late = await sendMessage(on, { session: "s-1" });
    assert.equal(late.status, 200);
    await late.text();
  });
}

test("LIMITS keeps a monthly budget beyond the day and resets it with the month", async () => {
  const on = createLimitedGateway({ each: { usd_day: 0.5, usd_month: 1 } });
  const daily = [];
  on.clock.advance(15 * 24 * HOUR); // February 15th
  for (let day = 15; day <= 29; day++) {
    const statuses = [(await sendMessage(on)).status, (await sendMessage(on)).status];
    daily.push(statuses.join());
    on.clock.advance(24 * HOUR);
  }
  assert.deepEqual(daily, ["200,402", "200,402", ...Array(12).fill("402,402"), "200,402"]);
});

test("LIMITS counts each key separately, with its limits before the default", async () => {
  const settings = {
    GATEWAY_API_KEYS: "alice:0123456789abcdef,bob:0123456789abcdeg",
    GATEWAY_ADMIN_KEY: "0123456789abcdeh",
    LIMITS: { each: { requests: 1 }, keys: { alice: { requests: 2 } }, total: { requests: 5 } },
  };
  const gateway = createTestGateway({ settings, upstream: chat(), clock: new FakeClock(NOON) });
  const statuses: number[] = [];
  for (const last of "fffggghhh") {
    const headers = { "x-api-key": `0123456789abcde${last}` };
    statuses.push((await gateway.post(minimalRequest("chat"), { headers })).status);
  }
  assert.deepEqual(statuses, [200, 200, 429, 200, 429, 429, 200, 429, 429]);
});

test("LIMITS counts each session separately, and no requests without a session", async () => {
  const on = createLimitedGateway({ session: { requests: 1, usd_day: 0.1 } });
  for (const session of ["a", "b", undefined, undefined]) {
    const response = await sendMessage(on, session === undefined ? {} : { session });
    assert.equal(response.status, 200, session);
  }
  assert.equal((await sendMessage(on, { session: "a" })).status, 402);
});

test("LIMITS with a budget of 0 rejects every request", async () => {
  const on = createLimitedGateway({ keys: { local: { usd_day: 0 } } });
  assert.equal((await sendMessage(on)).status, 402);
  assert.equal(on.upstream.requests.length, 0);
});

test("LIMITS admits a request larger than the limit if usage is zero, and drains it before the next", async () => {
  const on = createLimitedGateway(
    { each: { input_tokens: 10 } },
    chat({ prompt_tokens: 30, completion_tokens: 1 }),
  );
  assert.equal((await sendMessage(on, { content: "long ".repeat(50) })).status, 200);
  const refusal = await refusalOf(await sendMessage(on, { content: "long ".repeat(50) }));
  assert.deepEqual(refusal.slice(0, 3), [...RATE, "180"]);
  on.clock.advance(3 * MINUTE);
  assert.equal((await sendMessage(on, { content: "long ".repeat(50) })).status, 200);
});

test("LIMITS does not count input that the upstream reads from its cache", async () => {
  const usage = { prompt_tokens: 1000, prompt_tokens_details: { cached_tokens: 995 }, completion_tokens: 1 };
  const on = createLimitedGateway({ each: { input_tokens: 100 } }, chat(usage));
  const remaining = [];
  for (let nth = 0; nth < 3; nth++) {
    const response = await sendMessage(on, { content: "x" });
    remaining.push(response.headers.get("anthropic-ratelimit-input-tokens-limit"), response.status);
  }
  assert.deepEqual(remaining, ["100", 200, "100", 200, "100", 200]);
});

test("POST /v1/messages returns Anthropic's rate limit headers for the tightest limit of each kind", async () => {
  const on = createLimitedGateway({
    each: { requests: 10, input_tokens: 1000, output_tokens: 60 },
    total: { requests: 4 },
  });
  await (await sendMessage(on)).text();
  const response = await sendMessage(on, { stream: true });
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const limits = [...response.headers].filter(([name]) => name.startsWith("anthropic-"));
  const input = Number(response.headers.get("anthropic-ratelimit-input-tokens-remaining"));
  assert.ok(input < 990 && input > 960, `${input}: the first took 10, the second is estimated`);
  const reset = Math.ceil((1000 - input) * 60 / 1000);
  assert.deepEqual(Object.fromEntries(limits), {
    "anthropic-ratelimit-requests-limit": "4",
    "anthropic-ratelimit-requests-remaining": "2",
    "anthropic-ratelimit-requests-reset": "2026-01-31T12:00:30Z",
    "anthropic-ratelimit-input-tokens-limit": "1000",
    "anthropic-ratelimit-input-tokens-remaining": String(input),
    "anthropic-ratelimit-input-tokens-reset": `2026-01-31T12:00:0${reset}Z`,
    "anthropic-ratelimit-output-tokens-limit": "60",
    "anthropic-ratelimit-output-tokens-remaining": "55",
    "anthropic-ratelimit-output-tokens-reset": "2026-01-31T12:00:05Z",
  });
  await response.text();
});

test("POST /v1/messages returns rate limit headers with a rejection, with a remaining amount of 0", async () => {
  const on = createLimitedGateway({ each: { requests: 1 } });
  await (await sendMessage(on)).text();
  const { headers } = await sendMessage(on);
  assert.equal(headers.get("anthropic-ratelimit-requests-remaining"), "0");
  assert.equal(headers.get("anthropic-ratelimit-requests-reset"), "2026-01-31T12:01:00Z");
});

test("POST /v1/messages returns no rate limit headers without limits, not even the upstream's", async () => {
  const answer = {
    ...chat(),
    headers: { "content-type": "text/event-stream", "anthropic-ratelimit-requests-limit": "7" },
  };
  const response = await sendMessage(createLimitedGateway({}, answer));
  assert.deepEqual([...response.headers].filter(([name]) => name.includes("ratelimit")), []);
});

test("LIMITS admits a burst of Claude Code: 26 counts and a list of models beside parallel subagents", async () => {
  const on = createLimitedGateway({ each: { requests: 12, concurrent: 12 } });
  const models = on.get("/v1/models");
  const counts = Array.from({ length: 26 }, () => countTokens(on));
  const messages = Array.from({ length: 12 }, () => sendMessage(on, { stream: true, session: "s" }));
  const responses = await Promise.all([...counts, ...messages]);
  assert.deepEqual(responses.map(({ status }) => status), Array(38).fill(200));
  assert.notEqual((await models).status, 429);
  for (const response of responses) await response.text();
});

test("LIMITS counts token counts and model lists separately, up to 100 per minute", async () => {
  const on = createLimitedGateway({ each: { requests: 1 } });
  for (let nth = 0; nth < 100; nth++) assert.equal((await countTokens(on)).status, 200);
  assert.deepEqual(await refusalOf(await countTokens(on)), [
    ...RATE,
    "1",
    null,
    'key "local" has reached its limit of 100 token counts and model lists per minute',
  ]);
  assert.equal((await sendMessage(on)).status, 200, "a message is none of them");
  const without = createLimitedGateway({});
  for (let nth = 0; nth < 200; nth++) assert.equal((await countTokens(without)).status, 200);
});

const HELLO = { choices: [{ delta: { content: "Hello" } }] };

/** A response that begins and never ends. */
const OPEN: FakeResponse = { body: writeChunk(HELLO), ending: "open" };

test("LIMITS admits 1,000 concurrent requests of a key by default", async () => {
  for (const [limits, places] of [[{}, 1000], [{ each: { concurrent: 2 } }, 2]] as const) {
    const on = createLimitedGateway(limits, OPEN);
    const open = await Promise.all(Array.from({ length: places }, () => sendMessage(on, { stream: true })));
    assert.deepEqual(open.map(({ status }) => status), Array(places).fill(200));
    assert.deepEqual(await refusalOf(await sendMessage(on)), [
      ...RATE,
      "5",
      null,
      `key "local" has reached its limit of ${places} concurrent requests`,
    ]);
    await open[0]?.body?.cancel();
    const next = await sendMessage(on, { stream: true });
    assert.equal(next.status, 200);
    for (const response of [...open.slice(1), next]) await response.body?.cancel();
    assert.equal(on.clock.waiting, 0, "no timer is left");
  }
});

test("LIMITS returns 529 if the gateway has no free slot", async () => {
  const on = createLimitedGateway({ total: { concurrent: 1 }, each: { requests: 1 } }, OPEN);
  const open = await sendMessage(on, { stream: true });
  assert.deepEqual(await refusalOf(await sendMessage(on)), [
    529,
    "overloaded_error",
    "5",
    null,
    "the gateway has too many concurrent requests",
  ]);
  await open.body?.cancel();
});

const NO_END: FakeResponse = { body: writeChunk(HELLO), ending: "reset" };

/** Ends of a request, each of which frees its slot. */
const ENDS: [how: string, answer: FakeResponse, options: MessageOptions, status: number][] = [
  ["answered whole", chat(), {}, 200],
  ["streamed", chat(), { stream: true }, 200],
  ["failed by the upstream", { body: "{}", status: 500 }, {}, 500],
  ["rejected by the upstream's limit", { body: "{}", status: 429 }, { stream: true }, 429],
  ["cut by the upstream", NO_END, {}, 502],
  ["cut while it streams", NO_END, { stream: true }, 200],
];

for (const [how, answer, options, status] of ENDS) {
  test(`LIMITS frees a slot when a request is ${how}`, async () => {
    const on = createLimitedGateway({ each: { concurrent: 1 } }, answer);
    for (let nth = 0; nth < 3; nth++) {
      const response = await sendMessage(on, options);
      assert.equal(response.status, status);
      await response.text();
    }
  });
}

const LISTED = JSON.stringify({
  data: [{ id: "vendor/model", pricing: { prompt: "0.01", completion: "0.1" } }],
});

test("LIMITS charges an abandoned answer its list price for the tokens received", async () => {
  const reply: FakeReply = { body: writeDelta({ content: "bees ".repeat(100) }), ending: "open" };
  const on = createLimitedGateway({ each: { usd_day: 10 } }, new FakeUpstream(reply, { models: LISTED }));
  const response = await sendMessage(on, { stream: true });
  const reader = response.body?.getReader();
  await reader?.read();
  assert.equal((await sendMessage(on, { stream: true })).status, 200, "nothing is charged yet");
  await reader?.cancel();
  await waitForUsage(on);
  // 100 tokens at 0.1 USD, and the input.
  assert.equal((await sendMessage(on)).status, 402);
});

test("LIMITS charges an answer that is abandoned before it began for its input", async () => {
  const upstream = new FakeUpstream("no headers", { models: LISTED });
  const on = createLimitedGateway({ each: { usd_day: 0.1 } }, upstream);
  const client = new AbortController();
  const answer = sendMessage(on, { signal: client.signal, content: "word ".repeat(20) });
  await upstream.stalled;
  client.abort();
  assert.equal((await answer).status, 499);
  await waitForUsage(on);
  assert.equal((await sendMessage(on)).status, 402);
});

/** Waits until the gateway has stopped reading the answers of disconnected clients. */
async function waitForUsage({ clock }: TestGateway): Promise<void> {
  await settle();
  clock.advance(10 * SECOND);
  await settle();
}

/** Waits until pending tasks have run. */
async function settle(): Promise<void> {
  for (let nth = 0; nth < 5; nth++) await new Promise((resolve) => setImmediate(resolve));
}

test("LIMITS charges a failed answer what was reported, or its list price", async () => {
  const reported = { ...HELLO, usage: { prompt_tokens: 1, completion_tokens: 1, cost: 3 } };
  const broken: FakeReply = { body: writeChunk(reported), ending: "reset" };
  const on = createLimitedGateway({ each: { usd_day: 3 } }, new FakeUpstream(broken, { models: LISTED }));
  assert.equal((await sendMessage(on)).status, 502);
  assert.equal((await sendMessage(on)).status, 402);

  const priced = createLimitedGateway(
    { each: { usd_day: 0.05 } },
    new FakeUpstream(NO_END, { models: LISTED }),
  );
  assert.equal((await sendMessage(priced)).status, 502);
  assert.equal((await sendMessage(priced)).status, 402);
});

test("LIMITS does not charge a request that the upstream rejects", async () => {
  const upstream = new FakeUpstream({ body: "{}", status: 500 }, { models: LISTED });
  const on = createLimitedGateway({ each: { usd_day: 0.01, input_tokens: 12 } }, upstream);
  for (let nth = 0; nth < 5; nth++) assert.equal((await sendMessage(on)).status, 500);
});

test("LIMITS does not charge a model of unknown price or an embedded model", async () => {
  const on = createLimitedGateway(
    { each: { usd_day: 0.01 } },
    chat({ prompt_tokens: 1e6, completion_tokens: 1e6 }),
  );
  for (let nth = 0; nth < 3; nth++) assert.equal((await sendMessage(on)).status, 200);
  for (let nth = 0; nth < 3; nth++) assert.equal((await sendMessage(on, { model: "demo/echo" })).status, 200);
});

test("LIMITS ignores costs and counts that are not valid numbers", async () => {
  const body = chat().body.replace('"cost":0.5', '"cost":1e999').replace(
    '"completion_tokens":5',
    '"completion_tokens":-7',
  );
  const on = createLimitedGateway({ each: { usd_day: 5, output_tokens: 100 } }, { body });
  for (let nth = 0; nth < 5; nth++) assert.equal((await sendMessage(on)).status, 200);
});

test("LIMITS with concurrent: null admits any number of concurrent requests", async () => {
  const on = createLimitedGateway({ each: { concurrent: null } }, OPEN);
  const open = await Promise.all(Array.from({ length: 60 }, () => sendMessage(on, { stream: true })));
  assert.deepEqual(open.map(({ status }) => status), Array(60).fill(200));
  for (const response of open) await response.body?.cancel();
});
