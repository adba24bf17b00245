import assert from "node:assert/strict";
import { test } from "node:test";
import { toBytes } from "../kit/bytes.ts";
import { createTestGateway } from "../kit/gateway.ts";
import type { Wire } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";

const MESSAGES = "/v1/messages";
const COUNT = "/v1/messages/count_tokens";
const upstream = { body: COMPLETE_STREAMS.chat };

/** Returns the fields of a request with one block. */
function block(content: Wire, role = "user"): Wire {
  return { messages: [{ role, content: [content] }] };
}

/** Returns JSON with the given depth. */
function nest(depth: number, open = '{"a":', close = "}"): string {
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

/** Bodies that are not JSON objects, or have no valid structure, and the response. */
const BODIES: Record<string, [body: string | Uint8Array, status: number, message: RegExp]> = {
  "empty": ["", 400, /^The request body is not valid JSON: it is empty$/],
  "space": [" \n", 400, /^The request body is not valid JSON: it is empty$/],
  "broken off": ['{"model":"m"', 400, /^The request body is not valid JSON: ./],
  "plain text": ["Hello", 400, /^The request body is not valid JSON: ./],
  "a form": ["model=m&max_tokens=1", 400, /^The request body is not valid JSON: ./],
  "NaN": ['{"max_tokens":NaN}', 400, /^The request body is not valid JSON: ./],
  "invalid UTF-8": [new Uint8Array([0x22, 0xff, 0xfe, 0x22]), 400, /^The request body is not valid UTF-8$/],
  "UTF-8 broken off": [toBytes('"é').subarray(0, 2), 400, /^The request body is not valid UTF-8$/],
  "null": ["null", 400, /^Input should be an object$/],
  "a string": ['"Hello"', 400, /^Input should be an object$/],
  "a number": ["1", 400, /^Input should be an object$/],
  "an array": ["[]", 400, /^Input should be an object$/],
  "33 MiB": [new Uint8Array(33 * 1024 * 1024).fill(32), 413, /^Request exceeds the maximum size of 32 MiB$/],
  "deep arrays": ["[".repeat(100_000) + "]".repeat(100_000), 400, /nested more than 200 levels deep$/],
  "deep arrays, never closed": ["[".repeat(100_000), 400, /nested more than 200 levels deep$/],
  "deep in an unknown field": [`{"x":${nest(100_000)}}`, 400, /nested more than 200 levels deep$/],
  "deep after quotes": [`{"a\\\\\\"[":"\\"","x":${nest(100_000)}}`, 400, /nested more than 200 levels deep$/],
  "deep in a tool result": [
    `{"messages":[{"role":"user","content":[${
      nest(20_000, '{"type":"tool_result","tool_use_id":"t","content":[', "]}")
    }]}]}`,
    400,
    /nested more than 200 levels deep$/,
  ],
};

/** Invalid fields, and Anthropic's message. They replace the fields of a valid request. */
const FIELDS: Record<string, [fields: Wire, message: string]> = {
  "model missing": [{ model: undefined }, "model: Field required"],
  "model null": [{ model: null }, "model: Input should be a valid string"],
  "model number": [{ model: 1 }, "model: Input should be a valid string"],
  "model empty": [{ model: "" }, "model: String should have at least 1 character"],
  "model too long": [{ model: "m".repeat(257) }, "model: String should have at most 256 characters"],
  "messages missing": [{ messages: undefined }, "messages: Field required"],
  "messages null": [{ messages: null }, "messages: Input should be a valid list"],
  "messages text": [{ messages: "Hi" }, "messages: Input should be a valid list"],
  "messages object": [{ messages: { role: "user" } }, "messages: Input should be a valid list"],
  "messages empty": [{ messages: [] }, "messages: at least one message is required"],
  "message null": [{ messages: [null] }, "messages.0: Input should be an object"],
  "message text": [{ messages: ["Hi"] }, "messages.0: Input should be an object"],
  "message list": [{ messages: [[]] }, "messages.0: Input should be an object"],
  "schema list": [
    { tools: [{ name: "t", input_schema: [] }] },
    "tools.0.custom.input_schema: Input should be an object",
  ],
  "role missing": [{ messages: [{ content: "Hi" }] }, "messages.0.role: Field required"],
  "role tool": [
    { messages: [{ role: "tool", content: "Hi" }] },
    "messages.0.role: Input should be 'user', 'assistant' or 'system'",
  ],
  "role number": [
    { messages: [{ role: 1, content: "Hi" }] },
    "messages.0.role: Input should be 'user', 'assistant' or 'system'",
  ],
  "content missing": [{ messages: [{ role: "user" }] }, "messages.0.content: Field required"],
  "content null": [
    { messages: [{ role: "user", content: null }] },
    "messages.0.content: Input should be a valid string or a valid list",
  ],
  "content object": [
    { messages: [{ role: "user", content: { type: "text", text: "Hi" } }] },
    "messages.0.content: Input should be a valid string or a valid list",
  ],
  "block text": [block("Hi"), "messages.0.content.0: Input should be an object"],
  "block null": [block(null), "messages.0.content.0: Input should be an object"],
  "block untyped": [block({ text: "Hi" }), "messages.0.content.0: Input should be an object"],
  "text missing": [block({ type: "text" }), "messages.0.content.0.text.text: Field required"],
  "text null": [
    block({ type: "text", text: null }),
    "messages.0.content.0.text.text: Input should be a valid string",
  ],
  "image empty": [block({ type: "image" }), "messages.0.content.0.image.source: Field required"],
  "image without data": [
    block({ type: "image", source: { type: "base64", media_type: "image/png" } }),
    "messages.0.content.0.image.source.base64.data: Field required",
  ],
  "document without data": [
    block({ type: "document", source: { type: "text", media_type: "text/plain" } }),
    "messages.0.content.0.document.source.text.data: Field required",
  ],
  "document within document": [
    block({ type: "document", source: { type: "content", content: [{ type: "text" }] } }),
    "messages.0.content.0.document.source.content.content.0.text.text: Field required",
  ],
  "thinking number": [
    block({ type: "thinking", thinking: 1 }, "assistant"),
    "messages.0.content.0.thinking.thinking: Input should be a valid string",
  ],
  "redacted thinking empty": [
    block({ type: "redacted_thinking" }, "assistant"),
    "messages.0.content.0.redacted_thinking.data: Field required",
  ],
  "call without id": [
    block({ type: "tool_use", name: "t", input: {} }, "assistant"),
    "messages.0.content.0.tool_use.id: Field required",
  ],
  "call with text for input": [
    block({ type: "tool_use", id: "t", name: "t", input: "{}" }, "assistant"),
    "messages.0.content.0.tool_use.input: Input should be an object",
  ],
  "call with a list for input": [
    block({ type: "tool_use", id: "t", name: "t", input: [] }, "assistant"),
    "messages.0.content.0.tool_use.input: Input should be an object",
  ],
  "result without id": [
    block({ type: "tool_result" }),
    "messages.0.content.0.tool_result.tool_use_id: Field required",
  ],
  "result with a number": [
    block({ type: "tool_result", tool_use_id: "t", content: 1 }),
    "messages.0.content.0.tool_result.content: Input should be a valid string or a valid list",
  ],
  "result with a broken block": [
    block({ type: "tool_result", tool_use_id: "t", content: [{ type: "text" }] }),
    "messages.0.content.0.tool_result.content.0.text.text: Field required",
  ],
  "is_error text": [
    block({ type: "tool_result", tool_use_id: "t", is_error: "yes" }),
    "messages.0.content.0.tool_result.is_error: Input should be a valid boolean",
  ],
  "cache_control text": [
    block({ type: "text", text: "Hi", cache_control: "ephemeral" }),
    "messages.0.content.0.text.cache_control: Input should be an object",
  ],
  "cache_control of another kind": [
    { cache_control: { type: "forever" } },
    "cache_control.type: Input should be 'ephemeral'",
  ],
  "system number": [{ system: 1 }, "system: Input should be a valid string or a valid list"],
  "system object": [{ system: { type: "text" } }, "system: Input should be a valid string or a valid list"],
  "tools object": [{ tools: {} }, "tools: Input should be a valid list"],
  "tool null": [{ tools: [null] }, "tools.0: Input should be an object"],
  "tool without name": [
    { tools: [{ input_schema: { type: "object" } }] },
    "tools.0.custom.name: Field required",
  ],
  "tool without schema": [{ tools: [{ name: "t" }] }, "tools.0.custom.input_schema: Field required"],
  "schema without type": [
    { tools: [{ name: "t", input_schema: {} }] },
    "tools.0.custom.input_schema.type: Field required",
  ],
  "schema of another type": [
    { tools: [{ name: "t", input_schema: { type: "array" } }] },
    "tools.0.custom.input_schema.type: Input should be 'object'",
  ],
  "schema text": [
    { tools: [{ name: "t", input_schema: "object" }] },
    "tools.0.custom.input_schema: Input should be an object",
  ],
  "choice text": [{ tool_choice: "auto" }, "tool_choice: Input should be an object"],
  "choice without name": [{ tool_choice: { type: "tool" } }, "tool_choice.tool.name: Field required"],
  "thinking text": [{ thinking: "on" }, "thinking: Input should be an object"],
  "thinking without budget": [
    { thinking: { type: "enabled" } },
    "thinking.enabled.budget_tokens: Field required",
  ],
  "budget text": [
    { thinking: { type: "enabled", budget_tokens: "9" } },
    "thinking.enabled.budget_tokens: Input should be a valid integer",
  ],
  "output_config list": [{ output_config: 1 }, "output_config: Input should be an object"],
};

/** Invalid fields of messages that count_tokens does not have. */
const MESSAGE_FIELDS: Record<string, [fields: Wire | string, message: string]> = {
  "max_tokens missing": [{ max_tokens: undefined }, "max_tokens: Field required"],
  "max_tokens null": [{ max_tokens: null }, "max_tokens: Input should be a valid integer"],
  "max_tokens text": [{ max_tokens: "9" }, "max_tokens: Input should be a valid integer"],
  "max_tokens half": [{ max_tokens: 1.5 }, "max_tokens: Input should be a valid integer"],
  "max_tokens negative": [{ max_tokens: -1 }, "max_tokens: Input should be greater than or equal to 0"],
  "max_tokens infinite": ['"max_tokens":1e999', "max_tokens: Input should be a finite number"],
  "temperature infinite": ['"temperature":-1e999', "temperature: Input should be a finite number"],
  "temperature text": [{ temperature: "1" }, "temperature: Input should be a valid number"],
  "top_p text": [{ top_p: "1" }, "top_p: Input should be a valid number"],
  "top_k infinite": ['"top_k":1e999', "top_k: Input should be a finite number"],
  "stream text": [{ stream: "true" }, "stream: Input should be a valid boolean"],
  "stop_sequences text": [{ stop_sequences: "." }, "stop_sequences: Input should be a valid list"],
  "stop sequence number": [{ stop_sequences: [1] }, "stop_sequences.0: Input should be a valid string"],
  "metadata text": [{ metadata: "me" }, "metadata: Input should be an object"],
  "user_id number": [{ metadata: { user_id: 1 } }, "metadata.user_id: Input should be a valid string"],
  "prototype for a body": [
    '"__proto__":{"model":"m"},"model":""',
    "model: String should have at least 1 character",
  ],
};

/** Fields that the gateway does not check, and accepts. */
const ACCEPTED: Record<string, Wire | string> = {
  "an unknown field": { field_of_a_later_day: { a: [1] } },
  "known fields of betas": {
    context_management: { edits: [] },
    mcp_servers: [],
    container: null,
    service_tier: "auto",
  },
  "an unknown block": block({ type: "block_of_a_later_day", x: 1 }),
  "an unknown source": block({ type: "image", source: { type: "source_of_a_later_day" } }),
  "an unknown tool": { tools: [{ type: "tool_20301231", name: "t" }, { type: "toolset_20301231" }] },
  "an unknown choice": { tool_choice: { type: "choice_of_a_later_day" } },
  "unknown thinking": { thinking: { type: "thinking_of_a_later_day" } },
  "unknown fields everywhere": {
    messages: [{
      role: "user",
      x: 1,
      content: [{ type: "text", text: "Hi", x: 1, citations: [{ type: "x" }] }],
    }],
    tools: [{ name: "t", x: 1, input_schema: { type: "object", x: 1 } }],
  },
  "null for optional fields": {
    ...{
      system: null,
      tools: null,
      tool_choice: null,
      thinking: null,
      output_config: null,
      output_format: null,
    },
    ...{
      stream: null,
      stop_sequences: null,
      temperature: null,
      top_p: null,
      top_k: null,
      cache_control: null,
    },
    metadata: { user_id: null },
    messages: [{
      role: "user",
      content: [
        { type: "text", text: "Hi", cache_control: null },
        { type: "tool_result", tool_use_id: "t", content: null, is_error: null },
      ],
    }],
  },
  "empty contents": { system: "", messages: [{ role: "user", content: "" }, { role: "user", content: [] }] },
  "a system message amid the others": {
    messages: [{ role: "user", content: "Hi" }, { role: "system", content: [] }, {
      role: "system",
      content: "S",
    }],
  },
  "two turns of the same role": {
    messages: [{ role: "user", content: "A" }, { role: "user", content: "B" }],
  },
  "a result of no call": block({ type: "tool_result", tool_use_id: "nobody" }),
  "max_tokens of 0": { max_tokens: 0 },
  "names that every object has":
    '"__proto__":{"a":1},"constructor":{"prototype":1},"toString":1,"hasOwnProperty":null',
  "half a surrogate pair": '"\\ud800":1,"system":"\\udc00"',
  "a deep schema": `"x":${nest(150)}`,
  "brackets in a text": { system: "[".repeat(100_000) + '\\"'.repeat(999) + "{".repeat(100_000) },
};

/** Writes the body of a request: fields that replace those of the smallest one, or members before them. */
function toBody(fields: Wire | string): string {
  if (typeof fields !== "string") return JSON.stringify(minimalRequest("chat", fields));
  const own = Object.entries(minimalRequest("chat")).filter(([name]) => !fields.includes(`"${name}":`));
  return `{${fields},${JSON.stringify(Object.fromEntries(own)).slice(1)}`;
}

async function assertRejected(
  path: string,
  body: string | Uint8Array,
  status: number,
  message: RegExp | string,
) {
  const gateway = createTestGateway({ upstream });
  const response = await gateway.post(body, { path });
  const error = await response.json();
  assert.equal(response.status, status, `${message}: ${error.error?.message}`);
  if (typeof message === "string") assert.equal(error.error.message, message);
  else assert.match(error.error.message, message);
  assert.deepEqual(error, {
    type: "error",
    error: {
      type: status === 413 ? "request_too_large" : "invalid_request_error",
      message: error.error.message,
    },
    request_id: response.headers.get("request-id"),
  });
  assert.match(String(error.request_id), /^req_[A-Za-z0-9]{24}$/);
  assert.equal(response.headers.get("x-should-retry"), "false");
  assert.equal(gateway.upstream.requests.length, 0, "the upstream gets no request");
  assert.equal(gateway.clock.waiting, 0);
}

for (const [name, [body, status, message]] of Object.entries(BODIES)) {
  test(`every endpoint with a body rejects a body that is ${name}`, async () => {
    for (const path of [MESSAGES, COUNT, "/v1/messages/stream", "/v1/v1/messages"]) {
      await assertRejected(path, body, status, message);
    }
  });
}

test("POST /v1/messages rejects invalid fields in Anthropic's wording", async () => {
  for (const [fields, message] of Object.values(FIELDS)) {
    await assertRejected(MESSAGES, toBody(fields), 400, message);
    await assertRejected(COUNT, toBody(fields), 400, message);
  }
  for (const [fields, message] of Object.values(MESSAGE_FIELDS)) {
    await assertRejected(MESSAGES, toBody(fields), 400, message);
    await assertRejected(`${MESSAGES}?beta=true`, toBody(fields), 400, message);
  }
});

test("POST /v1/messages reports all mistakes at once, up to ten", async () => {
  await assertRejected(
    MESSAGES,
    '{"model":1,"stream":1}',
    400,
    /^model: .+; messages: .+; max_tokens: .+; stream: .+$/,
  );
  const blocks = Array.from({ length: 1000 }, () => ({ type: "text" }));
  await assertRejected(
    MESSAGES,
    toBody({ messages: [{ role: "user", content: blocks }] }),
    400,
    /^(?:[^;]+; ){9}[^;]+$/,
  );
});

test("POST /v1/messages does not repeat a malformed body in its error", async () => {
  const secret = "sk-or-v1-0123456789";
  for (
    const body of [secret, `{"a":${secret}}`, `{"a":"${secret}" "b"}`, `{"${secret}"}`, `{"a":"${secret}`]
  ) {
    const { error } = await (await createTestGateway().post(body)).json();
    assert.ok(!error.message.includes("sk-or") && !error.message.includes("0123"), error.message);
  }
});

test("POST /v1/messages accepts unknown fields, blocks and values", async () => {
  for (const [name, fields] of Object.entries(ACCEPTED)) {
    for (const model of ["vendor/model", "anthropic/claude-opus-5.5"]) {
      const api = model === "vendor/model" ? "chat" : "native";
      const gateway = createTestGateway({ upstream: { body: COMPLETE_STREAMS[api] } });
      const body = toBody(fields).replace("vendor/model", model);
      for (const path of [MESSAGES, "/v1/messages/stream", COUNT]) {
        const response = await gateway.post(body, { path });
        const answer = await response.text();
        assert.equal(response.status, 200, `${name}: ${answer}`);
      }
      assert.equal(gateway.upstream.requests.length, 2, name);
    }
  }
});
test("POST /v1/messages accepts any version, beta and key header", async () => {
  const headers: Record<string, string>[] = [
    { "x-api-key": "k", "anthropic-version": "2030-01-01", "anthropic-beta": "a-2030-01-01, b" },
    { authorization: "Bearer k", "anthropic-version": "2026-10-21" },
    { authorization: "Basic abc", "x-api-key": "k", "content-type": "Application/JSON ; charset=UTF-8" },
    { "x-api-key": "k", "x-claude-code-session-id": "é no id \t" },
    {},
  ];
  for (const each of headers) {
    const gateway = createTestGateway({ upstream });
    const response = await gateway.post(minimalRequest("chat"), { headers: each });
    assert.equal(response.status, 200, await response.text());
  }
});

test("POST /v1/messages rejects a request without a usable key and calls no upstream", async () => {
  const gateway = createTestGateway({ upstream, settings: { OPENROUTER_API_KEY: undefined } });
  const nothing: Record<string, string>[] = [{}, { "x-api-key": " " }, { authorization: "Bearer " }, {
    authorization: "k",
  }];
  for (const headers of nothing) {
    const response = await gateway.post(minimalRequest("chat"), { headers });
    const { type, error } = await response.json();
    assert.deepEqual([response.status, type, error.type], [401, "error", "authentication_error"]);
    assert.equal(response.headers.get("x-should-retry"), "false");
  }
  assert.equal(gateway.upstream.requests.length, 0);
});

const MANY = 60_000;
const many = (part: Wire) => Array.from({ length: MANY }, () => ({ ...part }));
const LARGE: Record<string, () => Wire> = {
  "tool results": () => ({
    messages: [{ role: "user", content: many({ type: "tool_result", tool_use_id: "t" }) }],
  }),
  "unknown blocks of a user": () => ({ messages: [{ role: "user", content: many({ type: "x" }) }] }),
  "unknown blocks of an assistant": () => ({
    messages: [{ role: "assistant", content: many({ type: "x" }) }],
  }),
  "unknown blocks of the system": () => ({ system: many({ type: "x" }) }),
  "unknown fields": () =>
    Object.fromEntries(many({}).slice(0, 19_000).map((_part, at) => [`field_${at}`, 1])),
  "spaces": () => ({ model: "demo/echo", messages: [{ role: "user", content: " ".repeat(5 * MANY) }] }),
};

for (const [name, fields] of Object.entries(LARGE)) {
  test(`POST /v1/messages accepts a request of very many ${name} in linear time`, async () => {
    const gateway = createTestGateway({ upstream });
    const response = await gateway.post(minimalRequest("chat", fields()));
    assert.equal(response.status, 200);
    assert.ok((response.headers.get("x-gateway-loss") ?? "").length <= 6 * 1024);
    await response.body?.cancel();
  });
}

test("POST /v1/messages rejects a body that breaks off for any reason", async () => {
  for (const reason of [new TypeError("terminated"), new Error("reset"), "gone", undefined]) {
    for (const leaves of [true, false]) {
      const gateway = createTestGateway({ upstream });
      const client = new AbortController();
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(toBytes('{"model":'));
        },
        pull(controller) {
          if (leaves) client.abort(reason);
          controller.error(reason);
        },
      });
      const response = await gateway.post(body, { signal: client.signal });
      assert.equal(response.status, leaves ? 499 : 400);
      assert.equal(gateway.upstream.requests.length, 0);
    }
  }
});

test("every path and method returns an error in Anthropic's form", async () => {
  const gateway = createTestGateway();
  const paths = [
    "/",
    "/x",
    "//",
    "/v1",
    "/v1/messages/",
    "/v1/%",
    "/v1/models/%ff",
    "/v1/models/a/b/c",
    "/%2e%2e/v1/messages",
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) {
      const response = await gateway.fetch(new Request(`http://gateway.test${path}`, { method }));
      const body = await response.text();
      assert.match(response.headers.get("request-id") ?? "", /^req_/, `${method} ${path}`);
      if (response.status < 400 || method === "HEAD") continue;
      assert.equal(JSON.parse(body).request_id, response.headers.get("request-id"));
    }
  }
});
