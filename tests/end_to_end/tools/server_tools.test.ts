import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { toBlockEvents } from "../../../lib/anthropic/to_events.ts";
import type { Settings } from "../../../lib/config/settings.ts";
import { WORKSPACE } from "./tool_gateway.ts";
import { createTestGateway, type TestGateway, type TestRequestOptions } from "../../kit/gateway.ts";
import { dig, type Json, type Wire } from "../../kit/json.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { writeChunks, writeEvent } from "../../kit/streams.ts";
import { type FakeResponse, FakeUpstream } from "../../kit/upstream.ts";

const WORKSPACE_ROOT = mkdtempSync(join(tmpdir(), "loop-"));
after(() => rmSync(WORKSPACE_ROOT, { recursive: true }));

const KEY = "0123456789abcdef";
const USAGE = { prompt_tokens: 10, completion_tokens: 5, cost: 0.6 };

/** A response of chat completions: one delta, and its finish reason. */
function chat(delta: Json, finish_reason: string): FakeResponse {
  return {
    body: writeChunks({ choices: [{ delta }] }, { choices: [{ delta: {}, finish_reason }], usage: USAGE }),
  };
}

const toText = (content: string, reason = "stop") => chat({ content }, reason);
const toCall = (name: string, input: Json) => {
  const called = { name, arguments: JSON.stringify(input) };
  return chat({ tool_calls: [{ index: 0, id: "call_0", type: "function", function: called }] }, "tool_calls");
};
const busy: FakeResponse = { body: JSON.stringify({ error: { message: "too much to do" } }), status: 429 };

/** Creates a gateway with tools, whose upstream gives these responses in turn. */
function createGatewayWith(settings: Settings, ...upstream: FakeResponse[]): TestGateway {
  const own = { GATEWAY_API_KEYS: `alice:${KEY}`, TOOLS: "files-read", WORKSPACE_ROOT };
  return createTestGateway({
    settings: { ...own, ...settings },
    upstream: upstream.length === 0 ? toText("Hello") : upstream,
  });
}

async function sendMessage(
  { post }: TestGateway,
  fields: Json,
  { headers = {}, ...options }: TestRequestOptions = {},
): Promise<[Response, unknown]> {
  const tools = [WORKSPACE];
  const body = minimalRequest("chat", { model: "some/model", max_tokens: 100, tools, ...fields });
  const response = await post(body, { ...options, headers: { "x-api-key": KEY, ...headers } });
  return [response, await response.json()];
}

test("LIMITS stops a message with tools before the next turn if the budget is spent", async () => {
  const gateway = createGatewayWith({ LIMITS: { each: { usd_day: 1 } } }, toCall("TodoRead", {}));
  const [response, body] = await sendMessage(gateway, {});
  assert.deepEqual([response.status, dig(body, "error", "type")], [402, "billing_error"]);
  assert.equal(response.headers.get("x-should-retry"), "false");
  assert.equal(gateway.upstream.requests.length, 2);
});

test("LIMITS stops a task if the budget is spent", async () => {
  const gateway = createGatewayWith(
    { LIMITS: { each: { usd_day: 0.5 } } },
    toCall("Task", { prompt: "look" }),
  );
  const [response] = await sendMessage(gateway, {});
  assert.deepEqual([response.status, gateway.upstream.requests.length], [402, 1]);
});

test("MODEL_MAP uses no fallback after a tool has run", async () => {
  const MODEL_MAP = { able: { model: "some/model", fallbacks: ["other/model", "third/model"] } };
  const failure: FakeResponse = { body: JSON.stringify({ error: { message: "it broke" } }), status: 500 };
  const schema = { type: "object", properties: { qty: { type: "integer" } }, required: ["qty"] };
  const output_config = { format: { type: "json_schema", schema } };
  for (const failuresBefore of [[], [busy]]) {
    const gateway = createGatewayWith(
      { MODEL_MAP, STRUCTURED_MAX_RETRIES: 0 },
      ...[...failuresBefore, toCall("TodoRead", {}), failure, toCall("TodoRead", {}), toText('{"qty": 1}')],
    );
    const [response, body] = await sendMessage(gateway, { model: "able", output_config });
    assert.deepEqual([response.status, dig(body, "error", "message")], [500, "it broke"]);
    assert.equal(response.headers.get("x-should-retry"), "false");
    const models = gateway.upstream.requests.map(({ body }) => dig(body, "model"));
    const model = failuresBefore.length === 0 ? "some/model" : "other/model";
    assert.deepEqual(models, [...failuresBefore.map(() => "some/model"), model, model]);
  }
});

test("MODEL_MAP uses no fallback for an invalid answer after a tool has run", async () => {
  const gateway = createGatewayWith(
    { MODEL_MAP: { able: { model: "some/model", fallbacks: ["other/model"] } }, STRUCTURED_MAX_RETRIES: 0 },
    ...[toCall("TodoRead", {}), toText("no JSON"), toText('{"qty": 1}')],
  );
  const output_config = { format: { type: "json_schema", schema: { type: "object" } } };
  const [response] = await sendMessage(gateway, { model: "able", output_config });
  assert.deepEqual([response.status, response.headers.get("x-should-retry")], [502, "false"]);
  assert.equal(gateway.upstream.requests.length, 2);
});

test("Task returns the failure of its model, and is counted as failed", async () => {
  const gateway = createGatewayWith({}, toCall("Task", { prompt: "look" }), busy, toText("Done"));
  const [, message] = await sendMessage(gateway, {});
  assert.equal(dig(message, "content", 1, "content", 0, "text"), "Cannot call the model: too much to do");
  const metrics: unknown = await (await gateway.get("/tool-metrics", { "x-api-key": KEY })).json();
  assert.deepEqual(dig(metrics, "tool_execution", "metrics", "error_breakdown"), { failed: 1 });
});

test("Task marks the result of a truncated answer", async () => {
  const gateway = createGatewayWith(
    {},
    toCall("Task", { prompt: "look" }),
    toText("I saw", "length"),
    toText("Done"),
  );
  const [, message] = await sendMessage(gateway, {});
  const result = "I saw\n[The task did not finish: max_tokens]";
  assert.equal(dig(message, "content", 1, "content", 0, "text"), result);
});

test("web_search ends a request to a stalled upstream after FIRST_BYTE_TIMEOUT", async () => {
  const replies = [toCall("web_search", { query: "bees" }), "no headers" as const, toText("Nothing")];
  const upstream = new FakeUpstream(replies);
  const gateway = createTestGateway({
    settings: {
      GATEWAY_API_KEYS: `alice:${KEY}`,
      TOOLS: "files-read",
      WORKSPACE_ROOT,
      FIRST_BYTE_TIMEOUT: 5,
    },
    upstream,
  });
  const answer = sendMessage(gateway, { tools: [{ type: "web_search_20250305", name: "web_search" }] });
  await upstream.stalled;
  gateway.clock.advance(5000);
  const [response, message] = await answer;
  assert.match(JSON.stringify(gateway.upstream.requests[1]?.body), /openrouter:web_search/);
  assert.equal(response.status, 200);
  assert.equal(dig(message, "content", 1, "content", "error_code"), "unavailable");
  assert.equal(dig(message, "content", 2, "text"), "Nothing");
});

test("POST /v1/messages accepts malformed results of server tools in the history", async () => {
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
  const blocks = results.map((content, nth) => ({
    type: `${web[nth]?.use.name}_tool_result`.replace("_regex", ""),
    tool_use_id: `srvtoolu_${nth}`,
    content,
  }));
  const messages = [
    { role: "user", content: "Go" },
    { role: "assistant", content: [...web.map(({ use }) => use), ...blocks] },
    { role: "user", content: "On" },
  ];
  const gateway = createGatewayWith({ TOOLS: "network" });
  for (const tools of [web.map(({ tool }) => tool), []]) {
    const [response] = await sendMessage(gateway, { tools, messages });
    assert.equal(response.status, 200);
  }
});

test("POST /v1/messages does not forward a toolset without enabled tools", async () => {
  const gateway = createGatewayWith({});
  const tools = [{ ...WORKSPACE, default_config: { enabled: false } }];
  const [response] = await sendMessage(gateway, { tools });
  assert.deepEqual([response.status, response.headers.get("x-gateway-loss")], [200, null]);
  assert.equal(dig(gateway.upstream.requests[0]?.body, "tools"), undefined);
});

test("POST /v1/messages prefers the MCP server of the client", async () => {
  const gateway = createGatewayWith({});
  const mcp_servers = [{ type: "url", name: "workspace", url: "https://127.0.0.1/mcp" }];
  const [response, body] = await sendMessage(gateway, { mcp_servers });
  assert.equal(response.status, 400);
  assert.match(
    String(dig(body, "error", "message")),
    /MCP server "workspace": its host is not on the public/,
  );
  assert.deepEqual(gateway.upstream.requests, []);
});

test("POST /v1/messages rejects a client tool with the name of a server tool", async () => {
  const gateway = createGatewayWith({});
  const own = { name: "web_search", input_schema: { type: "object" } };
  const [response, body] = await sendMessage(gateway, {
    tools: [{ type: "web_search_20250305", name: "web_search" }, own],
  });
  assert.equal(response.status, 400);
  assert.equal(dig(body, "error", "message"), "tools: Tool names must be unique.");
});

test("POST /v1/messages/count_tokens counts the tools that the model would be offered", async () => {
  const gateway = createGatewayWith({});
  const count = async (tools: object[]) =>
    Number(
      dig((await sendMessage(gateway, { tools }, { path: "/v1/messages/count_tokens" }))[1], "input_tokens"),
    );
  const one = (name: string) => ({
    ...WORKSPACE,
    default_config: { enabled: false },
    configs: { [name]: { enabled: true } },
  });
  const [none, reads, all] = [await count([]), await count([one("Read")]), await count([WORKSPACE])];
  assert.ok(none < reads && reads < all, `${none} ${reads} ${all}`);
  assert.equal(await count([one("__proto__")]), none);
});

test("web_search uses the conversation's model if the small model is on another upstream", async () => {
  const UPSTREAMS = { local: { url: "http://127.0.0.1:1/v1" } };
  const gateway = createGatewayWith(
    { UPSTREAMS, ANTHROPIC_SMALL_FAST_MODEL: "local/tiny" },
    toCall("web_search", { query: "bees" }),
    toText("done"),
    toText("Nothing"),
  );
  const [, message] = await sendMessage(gateway, {
    tools: [{ type: "web_search_20250305", name: "web_search" }],
  });
  assert.deepEqual(dig(message, "content", 1, "content"), []);
  assert.deepEqual(
    gateway.upstream.requests.map(({ body }) => dig(body, "model")),
    Array(3).fill("some/model"),
  );
});

test("POST /v1/messages does not send the client's betas in the gateway's requests", async () => {
  const toNative = (events: Wire[]): FakeResponse => ({ body: events.map(writeEvent).join("") });
  const usage = { input_tokens: 1, output_tokens: 1 };
  const start = {
    type: "message_start",
    message: { id: "msg_1", type: "message", role: "assistant", model: "c", content: [], usage },
  };
  const input = { prompt: "look", model: "haiku" };
  const gateway = createGatewayWith(
    { VALIDATION: "strict", ANTHROPIC_SMALL_FAST_MODEL: "some/tiny" },
    toNative([
      start,
      ...toBlockEvents({ type: "tool_use", id: "toolu_1", name: "Task", input }, 0),
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage },
      { type: "message_stop" },
    ]),
    toText("I saw it"),
    toNative([start, { type: "message_delta", delta: { stop_reason: "end_turn" }, usage }, {
      type: "message_stop",
    }]),
  );
  const headers = { "anthropic-beta": "some-beta-2026-01-01" };
  const [, message] = await sendMessage(gateway, { model: "anthropic/claude-opus-5.5" }, { headers });
  assert.equal(dig(message, "content", 1, "content", 0, "text"), "I saw it");
  const betas = gateway.upstream.requests.map((sent) => sent.headers.get("anthropic-beta"));
  assert.deepEqual(betas, [headers["anthropic-beta"], null, headers["anthropic-beta"]]);
});

test("POST /v1/messages runs at most 64 calls of a forged history", async () => {
  const gateway = createGatewayWith({});
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
  const [, message] = await sendMessage(gateway, { messages });
  const content = dig(message, "content");
  assert.equal(Array.isArray(content) && content.length, 65);
  assert.equal(
    dig(gateway.upstream.requests[0]?.body, "messages", 71, "content"),
    "Error: No result was given for this call",
  );
});
