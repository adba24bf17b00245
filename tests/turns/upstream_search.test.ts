import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { dig, type Json } from "../kit/json.ts";
import { captureLog } from "../kit/log.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { writeChunks } from "../kit/streams.ts";
import { type FakeReply, FakeUpstream } from "../kit/upstream.ts";

const SEARCH_ANSWER = writeChunks({
  choices: [{
    delta: {
      annotations: [{ url_citation: { url: "https://bees.test", title: "Bees", content: "Bees dance." } }],
    },
  }],
}, { choices: [], usage: { prompt_tokens: 5, completion_tokens: 1, cost: 0.02 } });

const END = writeChunks({ choices: [{ delta: { content: "Done" }, finish_reason: "stop" }] });

/** Writes a turn that calls `web_search` `count` times. */
function searchCalls(count: number): string {
  const tool_calls = Array.from({ length: count }, (_, index) => ({
    index,
    id: `call_${index}`,
    type: "function",
    function: { name: "web_search", arguments: '{"query":"bees"}' },
  }));
  return writeChunks({ choices: [{ delta: { tool_calls }, finish_reason: "tool_calls" }] });
}

/** Creates an upstream whose model searches `calls` times in each of `turns` turns. */
function createSearchingUpstream(
  { turns, calls, search = { body: SEARCH_ANSWER }, models }: {
    turns: number;
    calls: number;
    search?: FakeReply;
    models?: string;
  },
): { upstream: FakeUpstream; searches(): number } {
  let count = 0;
  const isSearch = (body: Json) => JSON.stringify(body).includes("openrouter:web_search");
  const upstream: FakeUpstream = new FakeUpstream((nth) => {
    if (isSearch(upstream.requests[nth]?.body ?? {})) return search;
    return { body: ++count <= turns ? searchCalls(calls) : END };
  }, { models });
  return { upstream, searches: () => upstream.requests.filter(({ body }) => isSearch(body)).length };
}

function ask(gateway: TestGateway, fields: Json = {}, headers: Record<string, string> = {}) {
  const tools = [{ type: "web_search_20250305", name: "web_search", ...fields }];
  return gateway.post(minimalRequest("chat", { tools }), { headers });
}

/** Counts the outcomes of the searches in a message. */
async function outcomesOf(response: Response): Promise<Record<string, number>> {
  const content = dig(await response.json(), "content");
  assert.ok(Array.isArray(content));
  const counts: Record<string, number> = {};
  for (const block of content) {
    if (dig(block, "type") !== "web_search_tool_result") continue;
    const outcome = String(dig(block, "content", "error_code") ?? "found");
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

interface Case {
  what: string;
  settings?: Settings;
  tool?: Json;
  turns?: number;
  calls: number;
  outcomes: Record<string, number>;
}

const CASES: Case[] = [
  {
    what: "to WEB_SEARCH_MAX_USES on default settings, in all turns of a message",
    turns: 9,
    calls: 64,
    outcomes: { found: 20, max_uses_exceeded: 556 },
  },
  {
    what: "to WEB_SEARCH_MAX_USES",
    settings: { WEB_SEARCH_MAX_USES: 2 },
    calls: 3,
    outcomes: { found: 2, max_uses_exceeded: 1 },
  },
  {
    what: "to a smaller max_uses",
    tool: { max_uses: 1 },
    calls: 3,
    outcomes: { found: 1, max_uses_exceeded: 2 },
  },
  {
    what: "to TOOL_RATE, whatever max_uses says",
    settings: { TOOL_RATE: 5 },
    tool: { max_uses: 1000 },
    turns: 2,
    calls: 8,
    outcomes: { found: 5, too_many_requests: 11 },
  },
  {
    what: "if max_uses is null",
    settings: { WEB_SEARCH_MAX_USES: 1 },
    tool: { max_uses: null },
    calls: 2,
    outcomes: { found: 1, max_uses_exceeded: 1 },
  },
];

for (const { what, settings = {}, tool = {}, turns = 1, calls, outcomes } of CASES) {
  test(`web_search by the upstream is limited ${what}`, async () => {
    const { upstream, searches } = createSearchingUpstream({ turns, calls });
    const gateway = createTestGateway({ settings, upstream });
    assert.deepEqual(await outcomesOf(await ask(gateway, tool)), outcomes);
    assert.equal(searches(), outcomes.found);
  });
}

test("web_search by the upstream counts TOOL_RATE for each client, and admits again after a minute", async () => {
  const { upstream, searches } = createSearchingUpstream({ turns: Infinity, calls: 2 });
  const settings = {
    GATEWAY_API_KEYS: "alice:0123456789abcdef,bob:0123456789abcdeg",
    TOOL_RATE: 2,
    TOOL_TURNS: 2,
  };
  const gateway = createTestGateway({ settings, upstream });
  const found: number[] = [];
  for (const key of ["f", "f", "g", "f"]) {
    if (found.length === 3) gateway.clock.advance(60_000);
    const before = searches();
    await ask(gateway, {}, { "x-api-key": `0123456789abcde${key}` });
    found.push(searches() - before);
  }
  assert.deepEqual(found, [2, 0, 2, 2]);
});

test("web_search by the upstream runs at most TOOL_CONCURRENCY searches at once", async () => {
  const { upstream, searches } = createSearchingUpstream({ turns: 1, calls: 10, search: "no headers" });
  const gateway = createTestGateway({ settings: { TOOL_CONCURRENCY: 3, TOOL_TIMEOUT: 7 }, upstream });
  const answer = ask(gateway);
  await upstream.stalled;
  await settle();
  const started: number[] = [];
  while (searches() < 10) {
    started.push(searches());
    upstream.resetStalled();
    gateway.clock.advance(7000);
    await upstream.stalled;
    await settle();
  }
  gateway.clock.advance(7000);
  assert.deepEqual(await outcomesOf(await answer), { unavailable: 10 });
  assert.deepEqual(started, [3, 6, 9]);
});

test("web_search by the upstream is in the audit log and in GET /tool-metrics", async () => {
  const { upstream } = createSearchingUpstream({ turns: 1, calls: 3 });
  const gateway = createTestGateway({ settings: { TOOL_RATE: 2 }, upstream });
  const lines = await captureLog(async () => void await (await ask(gateway)).text());
  const audit = lines.filter((line) => line.includes('"message":"tool"'));
  const outcomes = audit.map((line) => /"?outcome"?[=:]\s*"?(\w+)/.exec(line)?.[1]);
  assert.deepEqual(outcomes.sort(), ["failed", "ok", "ok"]);
  const metrics: unknown = await (await gateway.get("/tool-metrics")).json();
  assert.equal(dig(metrics, "tool_execution", "enabled"), false);
  assert.deepEqual(dig(metrics, "tool_execution", "metrics", "tool_usage_count"), { WebSearch: 3 });
  assert.deepEqual(dig(metrics, "tool_execution", "metrics", "error_breakdown"), { failed: 1 });
});

const MODEL = { id: "vendor/model", pricing: { prompt: "0.00001", completion: "0" } };
const NATIVE = { ...MODEL, pricing: { ...MODEL.pricing, web_search: "0.02" } };
const HITS = SEARCH_ANSWER.split("\n\n")[0] ?? "";
/** Answers of a search, the price of a search for the model, and the minimum and maximum cost of the message. */
const CHARGES: [what: string, body: string, model: Json, usd: [number, number]][] = [
  ["its cost, if it is reported", SEARCH_ANSWER, NATIVE, [0.02, 0.03]],
  ["one search and the request, if no usage comes", `${HITS}\n\n`, MODEL, [0.0071, 0.02]],
  ["one search of the provider, if no usage comes", `${HITS}\n\n`, NATIVE, [0.0201, 0.03]],
  [
    "one search and the tokens, if no cost is reported",
    writeChunks({ choices: [], usage: { prompt_tokens: 1000, completion_tokens: 1 } }),
    { ...MODEL, pricing: { ...MODEL.pricing, web_search: "0" } },
    [0.017, 0.03],
  ],
  ["one search, if the model has no price", `${HITS}\n\n`, { id: "vendor/model" }, [0.007, 0.007]],
];

for (const [what, body, model, [least, most]] of CHARGES) {
  test(`web_search by the upstream is charged ${what}`, async () => {
    for (const [usd_day, status] of [[least - 1e-9, 402], [most + 1e-9, 200]] as const) {
      const models = JSON.stringify({ data: [model] });
      const { upstream } = createSearchingUpstream({ turns: 1, calls: 1, search: { body }, models });
      const settings = { ANTHROPIC_SMALL_FAST_MODEL: "vendor/model", LIMITS: { each: { usd_day } } };
      const gateway = createTestGateway({ settings, upstream });
      await (await ask(gateway)).text();
      await settle();
      assert.equal((await gateway.post(minimalRequest("chat"))).status, status, `with ${usd_day} USD`);
    }
  });
}

/** Waits until pending tasks have run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
