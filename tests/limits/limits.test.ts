import assert from "node:assert/strict";
import { test } from "node:test";
import type { LimitsInput } from "../../lib/config/limits.ts";
import { createGateway, type Gateway } from "../../lib/gateway.ts";
import { FakeClock } from "../kit/clock.ts";
import { dig, type Json } from "../kit/json.ts";
import { createUpstream, type FakeAnswer, type FakeUpstream } from "../kit/upstream.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const NOON = Date.UTC(2026, 0, 31, 12);

/** An answer of chat completions, with what it used. */
function chat(usage: Json = { prompt_tokens: 10, completion_tokens: 5, cost: 0.5 }): FakeAnswer {
  const chunks = [{ choices: [{ delta: { content: "Hello" } }] }, {
    choices: [{ delta: {}, finish_reason: "stop" }],
    usage,
  }];
  return { body: `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n` };
}

interface Stage {
  gateway: Gateway;
  clock: FakeClock;
  upstream: FakeUpstream;
}

function stage(LIMITS: LimitsInput, answer: FakeAnswer = chat(), fetch?: typeof globalThis.fetch): Stage {
  const clock = new FakeClock(NOON);
  const upstream = createUpstream(answer);
  const settings = { OPENROUTER_API_KEY: "sk-or-test", LIMITS };
  return { gateway: createGateway({ settings, fetch: fetch ?? upstream.fetch, clock }), clock, upstream };
}

interface Asked {
  stream?: boolean;
  content?: string;
  session?: string;
  signal?: AbortSignal;
  model?: string;
}

function ask({ gateway }: Stage, asked: Asked = {}): Promise<Response> {
  const { stream = false, content = "Hi", session, signal, model = "vendor/model" } = asked;
  const headers = new Headers({ "content-type": "application/json" });
  if (session !== undefined) headers.set("x-claude-code-session-id", session);
  const body = JSON.stringify({ model, max_tokens: 9, stream, messages: [{ role: "user", content }] });
  const init = { method: "POST", headers, body, ...(signal && { signal }) };
  return gateway.fetch(new Request("http://gateway.test/v1/messages", init));
}

function count({ gateway }: Stage): Promise<Response> {
  const body = JSON.stringify({ model: "vendor/model", messages: [{ role: "user", content: "Hi" }] });
  const headers = { "content-type": "application/json" };
  return gateway.fetch(
    new Request("http://gateway.test/v1/messages/count_tokens", { method: "POST", headers, body }),
  );
}

/** What a refusal says, as far as clients go by it. */
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
  /** How often is asked before it is refused. */
  admitted: number;
  refusal: (string | number | null)[];
  /** How long it takes until one more is admitted. */
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
    // Each answer reports 10 tokens of input, whatever was expected of it.
    limits: { each: { input_tokens: 25 } },
    admitted: 2,
    refusal: [...RATE, "10", null, 'key "local" has reached its limit of 25 input tokens per minute'],
    again: 10 * SECOND,
  },
  {
    // What an answer is long is known afterwards: the third is given, and its 5 tokens have to drain.
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
  test(`${JSON.stringify(limits)} admits ${admitted}, refuses, and admits again in time`, async () => {
    const on = stage(limits);
    for (let nth = 1; nth <= admitted; nth++) {
      const response = await ask(on, { session: "s-1" });
      assert.equal(response.status, 200, `the ${nth}th`);
      await response.text();
    }
    assert.deepEqual(await refusalOf(await ask(on, { session: "s-1" })), refusal);
    assert.equal(on.upstream.sent.length, admitted, "whoever is refused is not asked for");
    on.clock.advance(again - SECOND);
    assert.equal((await ask(on, { session: "s-1" })).status, refusal[0]);
    on.clock.advance(SECOND);
    const late = await ask(on, { session: "s-1" });
    assert.equal(late.status, 200);
    await late.text();
  });
}

test("a month's budget outlasts the day's, and ends with the month", async () => {
  const on = stage({ each: { usd_day: 0.5, usd_month: 1 } });
  const daily = [];
  on.clock.advance(15 * 24 * HOUR); // February 15th
  for (let day = 15; day <= 29; day++) {
    const statuses = [(await ask(on)).status, (await ask(on)).status];
    daily.push(statuses.join());
    on.clock.advance(24 * HOUR);
  }
  assert.deepEqual(daily, ["200,402", "200,402", ...Array(12).fill("402,402"), "200,402"]);
});

test("what one key uses is taken from no other, and its own limits go before those of all", async () => {
  const upstream = createUpstream(chat());
  const settings = {
    GATEWAY_API_KEYS: "alice:0123456789abcdef,bob:0123456789abcdeg",
    GATEWAY_ADMIN_KEY: "0123456789abcdeh",
    OPENROUTER_API_KEY: "sk-or-test",
    LIMITS: { each: { requests: 1 }, keys: { alice: { requests: 2 } }, total: { requests: 5 } },
  };
  const gateway = createGateway({ settings, fetch: upstream.fetch, clock: new FakeClock(NOON) });
  const statuses: number[] = [];
  for (const last of "fffggghhh") {
    const headers = { "content-type": "application/json", "x-api-key": `0123456789abcde${last}` };
    const body = JSON.stringify({ model: "m/m", max_tokens: 9, messages: [{ role: "user", content: "Hi" }] });
    const init = { method: "POST", headers, body };
    statuses.push((await gateway.fetch(new Request("http://gateway.test/v1/messages", init))).status);
  }
  assert.deepEqual(statuses, [200, 200, 429, 200, 429, 429, 200, 429, 429]);
});

test("a session's limits hold for no other session, nor for who names none", async () => {
  const on = stage({ session: { requests: 1, usd_day: 0.1 } });
  for (const session of ["a", "b", undefined, undefined]) {
    const response = await ask(on, session === undefined ? {} : { session });
    assert.equal(response.status, 200, session);
  }
  assert.equal((await ask(on, { session: "a" })).status, 402);
});

test("a budget of nothing refuses all", async () => {
  const on = stage({ keys: { local: { usd_day: 0 } } });
  assert.equal((await ask(on)).status, 402);
  assert.equal(on.upstream.sent.length, 0);
});

test("what is larger than its limit is admitted once nothing is used, and paid off before the next", async () => {
  const on = stage({ each: { input_tokens: 10 } }, chat({ prompt_tokens: 30, completion_tokens: 1 }));
  assert.equal((await ask(on, { content: "long ".repeat(50) })).status, 200);
  const refusal = await refusalOf(await ask(on, { content: "long ".repeat(50) }));
  assert.deepEqual(refusal.slice(0, 3), [...RATE, "180"]);
  on.clock.advance(3 * MINUTE);
  assert.equal((await ask(on, { content: "long ".repeat(50) })).status, 200);
});

test("input that the upstream reads from its cache does not count", async () => {
  const usage = { prompt_tokens: 1000, prompt_tokens_details: { cached_tokens: 995 }, completion_tokens: 1 };
  const on = stage({ each: { input_tokens: 100 } }, chat(usage));
  const remaining = [];
  for (let nth = 0; nth < 3; nth++) {
    const response = await ask(on, { content: "x" });
    remaining.push(response.headers.get("anthropic-ratelimit-input-tokens-limit"), response.status);
  }
  assert.deepEqual(remaining, ["100", 200, "100", 200, "100", 200]);
});

test("answers tell Anthropic's headers for the limits that are set, the tightest of each kind, and no other", async () => {
  const on = stage({ each: { requests: 10, input_tokens: 1000, output_tokens: 60 }, total: { requests: 4 } });
  await (await ask(on)).text();
  const response = await ask(on, { stream: true });
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const told = [...response.headers].filter(([name]) => name.startsWith("anthropic-"));
  const input = Number(response.headers.get("anthropic-ratelimit-input-tokens-remaining"));
  assert.ok(input < 990 && input > 960, `${input}: the first took 10, the second is estimated`);
  const reset = Math.ceil((1000 - input) * 60 / 1000);
  assert.deepEqual(Object.fromEntries(told), {
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

test("a refusal tells the headers too, with nothing remaining", async () => {
  const on = stage({ each: { requests: 1 } });
  await (await ask(on)).text();
  const { headers } = await ask(on);
  assert.equal(headers.get("anthropic-ratelimit-requests-remaining"), "0");
  assert.equal(headers.get("anthropic-ratelimit-requests-reset"), "2026-01-31T12:01:00Z");
});

test("without limits a minute no such header is told, whatever the upstream says", async () => {
  const answer = {
    ...chat(),
    headers: { "content-type": "text/event-stream", "anthropic-ratelimit-requests-limit": "7" },
  };
  const response = await ask(stage({}, answer));
  assert.deepEqual([...response.headers].filter(([name]) => name.includes("ratelimit")), []);
});

test("a burst of Claude Code's is admitted: 26 counts and a list of models beside parallel subagents", async () => {
  const on = stage({ each: { requests: 12, concurrent: 12 } });
  const models = on.gateway.fetch(new Request("http://gateway.test/v1/models"));
  const counts = Array.from({ length: 26 }, () => count(on));
  const messages = Array.from({ length: 12 }, () => ask(on, { stream: true, session: "s" }));
  const responses = await Promise.all([...counts, ...messages]);
  assert.deepEqual(responses.map(({ status }) => status), Array(38).fill(200));
  assert.notEqual((await models).status, 429);
  for (const response of responses) await response.text();
});

test("counts have an allowance of their own, which is not endless", async () => {
  const on = stage({ each: { requests: 1 } });
  for (let nth = 0; nth < 100; nth++) assert.equal((await count(on)).status, 200);
  assert.deepEqual(await refusalOf(await count(on)), [
    ...RATE,
    "1",
    null,
    'key "local" has reached its limit of 100 token counts and model lists per minute',
  ]);
  assert.equal((await ask(on)).status, 200, "a message is none of them");
  const without = stage({});
  for (let nth = 0; nth < 200; nth++) assert.equal((await count(without)).status, 200);
});

/** An upstream that says so much and then nothing more, until it is let go. */
function silentAfter(chunks: readonly Json[], models?: string): typeof globalThis.fetch {
  return (_url, init = {}) => {
    if (init.method !== "POST") {
      return Promise.resolve(
        models === undefined ? new Response(null, { status: 404 }) : new Response(models),
      );
    }
    const text = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    });
    return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  };
}

const HELLO = { choices: [{ delta: { content: "Hello" } }] };

test("a key may have so many answers at once, 50 where nobody says otherwise", async () => {
  for (const [limits, places] of [[{}, 50], [{ each: { concurrent: 2 } }, 2]] as const) {
    const on = stage(limits, chat(), silentAfter([HELLO]));
    const open = await Promise.all(Array.from({ length: places }, () => ask(on, { stream: true })));
    assert.deepEqual(open.map(({ status }) => status), Array(places).fill(200));
    assert.deepEqual(await refusalOf(await ask(on)), [
      ...RATE,
      "5",
      null,
      `key "local" has reached its limit of ${places} concurrent requests`,
    ]);
    await open[0]?.body?.cancel();
    const next = await ask(on, { stream: true });
    assert.equal(next.status, 200);
    for (const response of [...open.slice(1), next]) await response.body?.cancel();
    assert.equal(on.clock.waiting, 0, "no timer is left");
  }
});

test("a gateway without a free place is overloaded", async () => {
  const on = stage({ total: { concurrent: 1 }, each: { requests: 1 } }, chat(), silentAfter([HELLO]));
  const open = await ask(on, { stream: true });
  assert.deepEqual(await refusalOf(await ask(on)), [
    529,
    "overloaded_error",
    "5",
    null,
    "the gateway has too many concurrent requests",
  ]);
  await open.body?.cancel();
});

const NO_END: FakeAnswer = { body: `data: ${JSON.stringify(HELLO)}\n\n`, ending: "break" };

/** Ways in which a request may end; each gives its place back. */
const ENDS: [how: string, answer: FakeAnswer, asked: Asked, status: number][] = [
  ["answered whole", chat(), {}, 200],
  ["streamed", chat(), { stream: true }, 200],
  ["refused by the upstream", { body: "{}", status: 500 }, {}, 500],
  ["refused before it was asked", { body: "{}", status: 429 }, { stream: true }, 429],
  ["broken off", NO_END, {}, 502],
  ["broken off while it streams", NO_END, { stream: true }, 200],
];

for (const [how, answer, asked, status] of ENDS) {
  test(`a place is given back when the answer is ${how}`, async () => {
    const on = stage({ each: { concurrent: 1 } }, answer);
    for (let nth = 0; nth < 3; nth++) {
      const response = await ask(on, asked);
      assert.equal(response.status, status);
      await response.text();
    }
  });
}

const LISTED = JSON.stringify({
  data: [{ id: "vendor/model", pricing: { prompt: "0.01", completion: "0.1" } }],
});

test("an answer that the client leaves is not free: it costs its list price, as far as it was said", async () => {
  const on = stage(
    { each: { usd_day: 10 } },
    chat(),
    silentAfter([{ choices: [{ delta: { content: "x".repeat(400) } }] }], LISTED),
  );
  const response = await ask(on, { stream: true });
  const reader = response.body?.getReader();
  await reader?.read();
  assert.equal((await ask(on, { stream: true })).status, 200, "nothing is known of it yet");
  await reader?.cancel();
  // 100 tokens of 0.1 USD, and the input.
  assert.equal((await ask(on)).status, 402);
});

test("an answer that the client leaves before it began costs its input", async () => {
  let tell = () => {};
  const asked = new Promise<void>((resolve) => tell = resolve);
  const on = stage({ each: { usd_day: 0.1 } }, chat(), (_url, init = {}) => {
    if (init.method !== "POST") return Promise.resolve(new Response(LISTED));
    tell();
    return new Promise((_, reject) =>
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason))
    );
  });
  const client = new AbortController();
  const answer = ask(on, { signal: client.signal, content: "word ".repeat(20) });
  await asked;
  client.abort();
  assert.equal((await answer).status, 499);
  assert.equal((await ask(on)).status, 402);
});

test("an answer that fails on its way costs what was reported, or its list price", async () => {
  const reported = { ...HELLO, usage: { prompt_tokens: 1, completion_tokens: 1, cost: 3 } };
  const body = `data: ${JSON.stringify(reported)}\n\n`;
  const on = stage({ each: { usd_day: 3 } }, { body, ending: "break", models: LISTED });
  assert.equal((await ask(on)).status, 502);
  assert.equal((await ask(on)).status, 402);

  const priced = stage({ each: { usd_day: 0.05 } }, { ...NO_END, models: LISTED });
  assert.equal((await ask(priced)).status, 502);
  assert.equal((await ask(priced)).status, 402);
});

test("what the upstream refuses costs nothing, and its input is not counted", async () => {
  const on = stage({ each: { usd_day: 0.01, input_tokens: 12 } }, {
    body: "{}",
    status: 500,
    models: LISTED,
  });
  for (let nth = 0; nth < 5; nth++) assert.equal((await ask(on)).status, 500);
});

test("a model of unknown price counts for nothing, and one that is embedded is free", async () => {
  const on = stage({ each: { usd_day: 0.01 } }, chat({ prompt_tokens: 1e6, completion_tokens: 1e6 }));
  for (let nth = 0; nth < 3; nth++) assert.equal((await ask(on)).status, 200);
  for (let nth = 0; nth < 3; nth++) assert.equal((await ask(on, { model: "demo/echo" })).status, 200);
});

test("costs and counts that are no numbers lock nobody out", async () => {
  const body = chat().body.toString().replace('"cost":0.5', '"cost":1e999').replace(
    '"completion_tokens":5',
    '"completion_tokens":-7',
  );
  const on = stage({ each: { usd_day: 5, output_tokens: 100 } }, { body });
  for (let nth = 0; nth < 5; nth++) assert.equal((await ask(on)).status, 200);
});

test("the settings may be the defaults, with no limit on answers at once", async () => {
  const on = stage({ each: { concurrent: null } }, chat(), silentAfter([HELLO]));
  const open = await Promise.all(Array.from({ length: 60 }, () => ask(on, { stream: true })));
  assert.deepEqual(open.map(({ status }) => status), Array(60).fill(200));
  for (const response of open) await response.body?.cancel();
});
