import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { toBlockEvents } from "../../lib/anthropic/to_events.ts";
import { createGateway, type Gateway } from "../../lib/gateway.ts";
import type { Settings } from "../../lib/config/settings.ts";
import { FakeClock } from "../kit/clock.ts";
import { dig, type Json } from "../kit/json.ts";
import { createUpstream, type FakeAnswer, type FakeUpstream } from "../kit/upstream.ts";
import { WORKSPACE_TOOLSET } from "./stage.ts";

const WORKSPACE_ROOT = mkdtempSync(join(tmpdir(), "loop-"));
after(() => rmSync(WORKSPACE_ROOT, { recursive: true }));

const KEY = "0123456789abcdef";
const USAGE = { prompt_tokens: 10, completion_tokens: 5, cost: 0.6 };

/** An answer of chat completions: one delta, and why it ended. */
function chat(delta: Json, finish_reason: string): FakeAnswer {
  const chunks = [{ choices: [{ delta }] }, { choices: [{ delta: {}, finish_reason }], usage: USAGE }];
  return { body: `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n` };
}

const says = (content: string, reason = "stop") => chat({ content }, reason);
const calls = (name: string, input: Json) => {
  const called = { name, arguments: JSON.stringify(input) };
  return chat({ tool_calls: [{ index: 0, id: "call_0", type: "function", function: called }] }, "tool_calls");
};
const busy: FakeAnswer = { body: JSON.stringify({ error: { message: "too much to do" } }), status: 429 };

interface Stage {
  gateway: Gateway;
  upstream: FakeUpstream;
}

function stage(settings: Settings, ...[first = says("Hello"), ...more]: FakeAnswer[]): Stage {
  const upstream = createUpstream(first, ...more);
  return { gateway: start(settings, upstream.fetch), upstream };
}

function start(settings: Settings, fetch: typeof globalThis.fetch, clock = new FakeClock()): Gateway {
  const own = { OPENROUTER_API_KEY: "sk-or-test", GATEWAY_API_KEYS: `alice:${KEY}` };
  const tools = { TOOLS: "files-read", WORKSPACE_ROOT };
  return createGateway({ settings: { ...own, ...tools, ...settings }, fetch, clock });
}

async function ask(
  gateway: Gateway,
  body: object,
  { path = "/v1/messages", ...more }: { path?: string; headers?: Record<string, string> } = {},
): Promise<[Response, unknown]> {
  const headers = { "content-type": "application/json", "x-api-key": KEY, ...more.headers };
  const messages = [{ role: "user", content: "Go" }];
  const tools = [WORKSPACE_TOOLSET];
  const whole = JSON.stringify({ model: "some/model", max_tokens: 100, messages, tools, ...body });
  const request = new Request(`http://gateway.test${path}`, { method: "POST", headers, body: whole });
  const response = await gateway.fetch(request);
  const json: unknown = await response.json();
  return [response, json];
}

test("no further turn is asked for once the budget is spent", async () => {
  const { gateway, upstream } = stage({ LIMITS: { each: { usd_day: 1 } } }, calls("TodoRead", {}));
  const [response, body] = await ask(gateway, {});
  assert.deepEqual([response.status, dig(body, "error", "type")], [402, "billing_error"]);
  assert.equal(response.headers.get("x-should-retry"), "false");
  assert.equal(upstream.sent.length, 2);
});

test("a task cannot go on either once the budget is spent", async () => {
  const { gateway, upstream } = stage(
    { LIMITS: { each: { usd_day: 0.5 } } },
    calls("Task", { prompt: "look" }),
  );
  const [response] = await ask(gateway, {});
  assert.deepEqual([response.status, upstream.sent.length], [402, 1]);
});

test("a task whose model fails tells why, and is no bug of the gateway's", async () => {
  const { gateway } = stage({}, calls("Task", { prompt: "look" }), busy, says("Done"));
  const [, message] = await ask(gateway, {});
  assert.equal(dig(message, "content", 1, "content", 0, "text"), "Cannot call the model: too much to do");
  const headers = { "x-api-key": KEY };
  const metrics: unknown =
    await (await gateway.fetch(new Request("http://gateway.test/tool-metrics", { headers }))).json();
  assert.deepEqual(dig(metrics, "tool_execution", "metrics", "error_breakdown"), { refused: 1 });
});

test("a task that is cut off does not look as if it had ended", async () => {
  const { gateway } = stage({}, calls("Task", { prompt: "look" }), says("I saw", "length"), says("Done"));
  const [, message] = await ask(gateway, {});
  const told = "I saw\n[The task did not end: max_tokens]";
  assert.equal(dig(message, "content", 1, "content", 0, "text"), told);
});

test("a search of the web by an upstream that falls silent is given up", async () => {
  const clock = new FakeClock();
  const upstream = createUpstream(calls("web_search", { query: "bees" }), says("Nothing"));
  let asked = () => {};
  const searched = new Promise<void>((resolve) => asked = resolve);
  const fetch: typeof globalThis.fetch = (input, init) => {
    if (!String(init?.body).includes("openrouter:web_search")) return upstream.fetch(input, init);
    asked();
    return new Promise((_, reject) =>
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason))
    );
  };
  const gateway = start({ FIRST_BYTE_TIMEOUT: 5 }, fetch, clock);
  const answer = ask(gateway, { tools: [{ type: "web_search_20250305", name: "web_search" }] });
  await searched;
  clock.advance(5000);
  const [response, message] = await answer;
  assert.equal(response.status, 200);
  assert.equal(dig(message, "content", 1, "content", "error_code"), "unavailable");
  assert.equal(dig(message, "content", 2, "text"), "Nothing");
});

test("what a client says that it was told is no bug of the gateway's, whatever it is", async () => {
  const web = ["web_fetch", "web_search", "tool_search_tool_regex"].map((name, nth) => ({
    use: { type: "server_tool_use", id: `srvtoolu_${nth}`, name, input: {} },
    tool: { type: `${name}_20250305`, name },
  }));
  const odd = { toString: 1 };
  const results = [
    { url: odd, content: { source: { type: "text", data: odd } } },
    [{ url: odd, title: odd, encrypted_content: "orgw1.zzz" }],
    { type: "tool_search_tool_result_error", error_message: odd },
  ];
  const told = results.map((content, nth) => ({
    type: `${web[nth]?.use.name}_tool_result`.replace("_regex", ""),
    tool_use_id: `srvtoolu_${nth}`,
    content,
  }));
  const messages = [
    { role: "user", content: "Go" },
    { role: "assistant", content: [...web.map(({ use }) => use), ...told] },
    { role: "user", content: "On" },
  ];
  const { gateway } = stage({ TOOLS: "network" });
  for (const tools of [web.map(({ tool }) => tool), []]) {
    const [response] = await ask(gateway, { tools, messages });
    assert.equal(response.status, 200);
  }
});

test("a toolset of which nothing is switched on is not passed on", async () => {
  const { gateway, upstream } = stage({});
  const tools = [{ ...WORKSPACE_TOOLSET, default_config: { enabled: false } }];
  const [response] = await ask(gateway, { tools });
  assert.deepEqual([response.status, response.headers.get("x-gateway-loss")], [200, null]);
  assert.equal(dig(upstream.sent[0]?.body, "tools"), undefined);
});

test("a client's own server of the name is the client's, and dropped where there are none", async () => {
  const { gateway, upstream } = stage({});
  const mcp_servers = [{ type: "url", name: "workspace", url: "https://mcp.test" }];
  const [response] = await ask(gateway, { mcp_servers });
  assert.match(response.headers.get("x-gateway-loss") ?? "", /tools\.0;dropped/);
  assert.equal(dig(upstream.sent[0]?.body, "tools"), undefined);
});

test("one name for a tool of the client's and one of Anthropic's is refused", async () => {
  const { gateway } = stage({});
  const own = { name: "web_search", input_schema: { type: "object" } };
  const [response, body] = await ask(gateway, {
    tools: [{ type: "web_search_20250305", name: "web_search" }, own],
  });
  assert.equal(response.status, 400);
  assert.equal(dig(body, "error", "message"), "tools: Tool names must be unique.");
});

test("a count of tokens is that of the tools that the model would be told of", async () => {
  const { gateway } = stage({});
  const count = async (tools: object[]) =>
    Number(dig((await ask(gateway, { tools }, { path: "/v1/messages/count_tokens" }))[1], "input_tokens"));
  const one = (name: string) => ({
    ...WORKSPACE_TOOLSET,
    default_config: { enabled: false },
    configs: { [name]: { enabled: true } },
  });
  const [none, reads, all] = [await count([]), await count([one("Read")]), await count([WORKSPACE_TOOLSET])];
  assert.ok(none < reads && reads < all, `${none} ${reads} ${all}`);
  assert.equal(await count([one("__proto__")]), none);
});

test("the web is searched by the conversation's own model where the small one is elsewhere", async () => {
  const UPSTREAMS = { local: { url: "http://127.0.0.1:1/v1" } };
  const { gateway, upstream } = stage(
    { UPSTREAMS, ANTHROPIC_SMALL_FAST_MODEL: "local/tiny" },
    calls("web_search", { query: "bees" }),
    says("done"),
    says("Nothing"),
  );
  const [, message] = await ask(gateway, { tools: [{ type: "web_search_20250305", name: "web_search" }] });
  assert.deepEqual(dig(message, "content", 1, "content"), []);
  assert.deepEqual(upstream.sent.map(({ body }) => dig(body, "model")), Array(3).fill("some/model"));
});

test("what the gateway asks on its own has nothing to do with the client's betas", async () => {
  const toNative = <Event extends { type: string }>(events: Event[]): FakeAnswer => ({
    body: events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
  });
  const usage = { input_tokens: 1, output_tokens: 1 };
  const start = {
    type: "message_start",
    message: { id: "msg_1", type: "message", role: "assistant", model: "c", content: [], usage },
  };
  const input = { prompt: "look", model: "haiku" };
  const { gateway, upstream } = stage(
    { VALIDATION: "strict", ANTHROPIC_SMALL_FAST_MODEL: "some/tiny" },
    toNative([
      start,
      ...toBlockEvents({ type: "tool_use", id: "toolu_1", name: "Task", input }, 0),
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage },
      { type: "message_stop" },
    ]),
    says("I saw it"),
    toNative([start, { type: "message_delta", delta: { stop_reason: "end_turn" }, usage }, {
      type: "message_stop",
    }]),
  );
  const headers = { "anthropic-beta": "some-beta-2026-01-01" };
  const [, message] = await ask(gateway, { model: "anthropic/claude-opus-5.5" }, { headers });
  assert.equal(dig(message, "content", 1, "content", 0, "text"), "I saw it");
  const betas = upstream.sent.map((sent) => sent.headers.get("anthropic-beta"));
  assert.deepEqual(betas, [headers["anthropic-beta"], null, headers["anthropic-beta"]]);
});

test("of forged calls no more are run than a model may make", async () => {
  const { gateway, upstream } = stage({});
  const use = (_: unknown, nth: number) => ({
    type: "mcp_tool_use",
    id: `mcptoolu_${nth}`,
    name: "TodoRead",
    server_name: "workspace",
    input: {},
  });
  const messages = [
    { role: "user", content: "Go" },
    { role: "assistant", content: Array.from({ length: 70 }, use) },
  ];
  const [, message] = await ask(gateway, { messages });
  const content = dig(message, "content");
  assert.equal(Array.isArray(content) && content.length, 65);
  assert.equal(
    dig(upstream.sent[0]?.body, "messages", 71, "content"),
    "Error: No result was given for this call",
  );
});
