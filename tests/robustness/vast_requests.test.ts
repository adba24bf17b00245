import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";

const MAX_BYTES = 31 * 1024 * 1024;

/** Writes a list of `count` items. Default: as many as fit into a body. */
function listOf(item: string, count = Math.floor(MAX_BYTES / (item.length + 1))): string {
  return `[${`${item},`.repeat(count - 1)}${item}]`;
}

function membersOf(count: number, toMember: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => toMember(at)).join(",");
}

/** Writes a request with other members before its required ones. */
function request(members: string, model = "vendor/model"): string {
  return `{${members},"model":"${model}","max_tokens":8,"messages":[{"role":"user","content":"Hi"}]}`;
}

function message(content: string, model = "vendor/model"): string {
  return `{"model":"${model}","max_tokens":8,"messages":[{"role":"user","content":${content}}]}`;
}

/** Returns a text of 16 kB that differs from others only in its end. V8 hashes such texts by their length. */
function alike(at: number): string {
  return `"${"x".repeat(16_400)}${String(at).padStart(5, "0")}"`;
}

const VALUES = /^The request body has more than 250000 values$/;
const NAMES = /^The request body has more than 20000 different names of members, or very long ones$/;
/** Ten issues, each with the path of a block. */
const TEN_ISSUES =
  /^(messages\.0\.content\.\d: Input should be an object; ){9}messages\.0\.content\.9: [^;]+$/;

/** Requests that once blocked or ended the process, and the message with which they are rejected. */
const REJECTED: [name: string, body: () => string, message: RegExp][] = [
  ["11 million empty blocks", () => message(listOf("{}")), VALUES],
  ["a million text blocks", () => message(listOf('{"type":"text","text":"a"}')), VALUES],
  ["16 million numbers", () => request(`"x":${listOf("1")}`), VALUES],
  ["5 million stop sequences", () => request(`"stop_sequences":${listOf('"a"', 5_000_000)}`), VALUES],
  [
    "300,000 tools",
    () =>
      request(
        `"tools":[${membersOf(300_000, (at) => `{"name":"t${at}","input_schema":{"type":"object"}}`)}]`,
      ),
    VALUES,
  ],
  ["100,000 fields", () => request(membersOf(100_000, (at) => `"k${at}":1`)), NAMES],
  [
    "names in many objects",
    () => request(`"x":[${membersOf(30_000, (at) => `{"k${at}":1,"k":1}`)}]`),
    NAMES,
  ],
  [
    "1,800 names of 16 kB that differ in their end",
    () => request(membersOf(1800, (at) => `${alike(at)}:1`)),
    NAMES,
  ],
  [
    "900 ids of 16 kB",
    () => {
      const calls = membersOf(900, (at) => `{"type":"tool_use","id":${alike(at)},"name":"n","input":{}}`);
      return `{"model":"m","max_tokens":8,"messages":[{"role":"assistant","content":[${calls}]}]}`;
    },
    /^messages\.0\.content\.0\.id: String should have at most 10000 characters$/,
  ],
  [
    "1,800 tools with names of 16 kB",
    () =>
      request(
        `"tools":[${membersOf(1800, (at) => `{"name":${alike(at)},"input_schema":{"type":"object"}}`)}]`,
      ),
    /^tools\.0\.name: String should have at most 10000 characters$/,
  ],
  [
    "references to tools with names of 16 kB",
    () =>
      message(
        `[{"type":"tool_result","tool_use_id":"t","content":[${
          membersOf(900, (at) => `{"type":"tool_reference","tool_name":${alike(at)}}`)
        }]}]`,
      ),
    /^messages\.0\.content\.0\.content\.0\.tool_name: String should have at most 10000 characters$/,
  ],
  [
    "120,000 empty blocks",
    () => message(listOf("{}", 120_000)),
    /^.*: at most 100000 content blocks are allowed$/,
  ],
  ["90,000 empty blocks", () => message(listOf("{}", 90_000)), TEN_ISSUES],
  ["90,000 wrong blocks", () => message(listOf("1", 90_000)), TEN_ISSUES],
  [
    "90,000 wrong messages",
    () => `{"model":"m","max_tokens":1,"messages":${listOf("1", 90_000)}}`,
    /^(messages\.\d: [^;]+; ){9}messages\.9: [^;]+$/,
  ],
  [
    "lists of wrong blocks in wrong messages",
    () => `{"model":"m","max_tokens":1,"messages":${listOf('{"role":1,"content":[1,1,1,1,1,1,1,1]}', 9000)}}`,
    /^([^;]+; ){9}[^;]+$/,
  ],
  [
    "10,001 tools",
    () => request(`"tools":${listOf('{"name":"t","input_schema":{"type":"object"}}', 10_001)}`),
    /^tools: at most 10000 tools are allowed$/,
  ],
  [
    "1,001 stop sequences",
    () => request(`"stop_sequences":${listOf('"a"', 1001)}`),
    /^stop_sequences: at most 1000 stop sequences are allowed$/,
  ],
];

for (const [name, toBody, expected] of REJECTED) {
  test(`POST /v1/messages rejects ${name}`, async () => {
    const body = toBody();
    const paths = ["/v1/messages", ...(name.includes("stop sequences") ? [] : ["/v1/messages/count_tokens"])];
    for (const path of paths) {
      const gateway = createTestGateway();
      const response = await gateway.post(body, { path });
      const { error } = await response.json();
      assert.deepEqual([response.status, error.type], [400, "invalid_request_error"]);
      assert.match(error.message, expected);
      assert.ok(error.message.length < 2000);
      assert.equal(gateway.upstream.requests.length, 0);
    }
  });
}

/** Requests just within the limits, which are answered. */
const ANSWERED: [name: string, body: () => string][] = [
  ["80,000 text blocks", () => message(listOf('{"type":"text","text":"a"}', 80_000))],
  ["20,000 fields", () => request(membersOf(19_980, (at) => `"k${at}":1`))],
  [
    "10,000 tools",
    () => request(`"tools":${listOf('{"name":"t","input_schema":{"type":"object"}}', 10_000)}`),
  ],
  ["24,000 calls of one id", () => {
    const calls = listOf('{"type":"tool_use","id":"t","name":"n","input":{}}', 24_000);
    const results = listOf('{"type":"tool_result","tool_use_id":"t","content":"b"}', 24_000);
    return `{"model":"vendor/model","max_tokens":8,"messages":[{"role":"assistant","content":${calls}},` +
      `{"role":"user","content":${results}}]}`;
  }],
  ["a text of 31 MiB", () => message(`"${"word ".repeat(MAX_BYTES / 5)}"`)],
];

for (const [name, toBody] of ANSWERED) {
  test(`POST /v1/messages answers ${name}`, async () => {
    const gateway = createTestGateway({ upstream: { body: COMPLETE_STREAMS.chat } });
    const response = await gateway.post(toBody());
    assert.equal(response.status, 200, await response.text());
    assert.equal(gateway.upstream.requests.length, 1);
  });
}

/** Texts of 31 MiB for demo/echo. */
const ECHOED: Record<string, string> = {
  "16 million words": "a ".repeat(MAX_BYTES / 2),
  "one word": "a".repeat(MAX_BYTES),
  "spaces": `x${" ".repeat(MAX_BYTES)}y`,
  "surrogate pairs": "\u{1f600}".repeat(MAX_BYTES / 4),
};

for (const [name, text] of Object.entries(ECHOED)) {
  test(`demo/echo answers ${name} with at most 8192 words`, async () => {
    for (const stream of [true, false]) {
      const gateway = createTestGateway();
      const body = {
        model: "demo/echo",
        max_tokens: 1e9,
        stream,
        messages: [{ role: "user", content: text }],
      };
      const response = await gateway.post(body);
      const answer = await response.text();
      assert.equal(response.status, 200);
      assert.match(answer, /"stop_reason":"max_tokens"/);
      assert.ok(answer.length < 3 * 1024 * 1024, String(answer.length));
      assert.equal(answer.isWellFormed(), true);
      assert.doesNotMatch(answer, /\\ud[89a-f]/);
    }
  });
}

test("demo/echo calls a tool whose schema names each field twice on 60 levels", async () => {
  let schema: object = { type: "string" };
  for (let level = 0; level < 60; level++) {
    schema = { type: "object", properties: { a: schema }, required: ["a", "a"] };
  }
  const gateway = createTestGateway();
  const tools = [{ name: "deep", input_schema: schema }];
  const content = `deep ${"x".repeat(100_000)}`;
  const body = { model: "demo/echo", max_tokens: 8, tools, messages: [{ role: "user", content }] };
  const answer = await (await gateway.post(body)).json();
  assert.equal(answer.content[0].type, "tool_use");
  assert.ok(JSON.stringify(answer).length < 10_000);
});

test("demo/echo creates frames as they are read", async () => {
  const gateway = createTestGateway();
  const body = {
    model: "demo/echo",
    max_tokens: 1e9,
    stream: true,
    messages: [{ role: "user", content: "a ".repeat(8000) }],
  };
  const response = await gateway.post(body);
  const reader = response.body?.getReader();
  const { value } = await reader?.read() ?? {};
  assert.ok((value?.byteLength ?? 0) < 2000);
  await reader?.cancel();
});
