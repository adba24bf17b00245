import assert from "node:assert/strict";
import { test } from "node:test";
import { seal } from "../../lib/dialects/sealed.ts";
import { toBytes } from "../kit/bytes.ts";
import { parseEvents } from "../kit/events.ts";
import { createTestGateway } from "../kit/gateway.ts";
import type { Json } from "../kit/json.ts";
import {
  API_SETTINGS,
  minimalRequest,
  MODELS,
  UPSTREAM_APIS,
  type UpstreamApi,
} from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, DONE, writeDelta, writeEvent } from "../kit/streams.ts";

const MIB = 1024 * 1024;
const BEGIN = writeEvent({
  type: "message_start",
  message: { id: "msg_1", usage: { input_tokens: 1, output_tokens: 1 } },
});
const END =
  writeEvent({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } }) +
  writeEvent({ type: "message_stop" });

/** Writes a native block with deltas. */
function block(content_block: { type: string; [field: string]: unknown }, deltas: readonly Json[]): string {
  return writeEvent({ type: "content_block_start", index: 0, content_block }) +
    deltas.map((delta) => writeEvent({ type: "content_block_delta", index: 0, delta })).join("") +
    writeEvent({ type: "content_block_stop", index: 0 });
}

/** Yields the same piece of a stream several times. */
function* repeat(piece: string, times: number): Generator<Uint8Array> {
  const bytes = toBytes(piece);
  for (let nth = 0; nth < times; nth++) yield bytes;
}

/** Pieces of 1 MiB of an endless answer, by the growing part. */
const GROWING: Record<string, Record<UpstreamApi, [begin: string, piece: string]>> = {
  "text": {
    chat: ["", writeDelta({ content: "x".repeat(MIB) })],
    native: [
      BEGIN +
      writeEvent({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      writeEvent({
        type: "content_block_delta",
        index: 0,
        delta: { type: "text_delta", text: "x".repeat(MIB) },
      }),
    ],
    responses: [
      "",
      writeEvent({ type: "response.output_text.delta", output_index: 0, delta: "x".repeat(MIB) }),
    ],
  },
  "reasoning": {
    chat: ["", writeDelta({ reasoning: "x".repeat(MIB) })],
    native: [
      BEGIN +
      writeEvent({
        type: "content_block_start",
        index: 0,
        content_block: { type: "thinking", thinking: "" },
      }),
      writeEvent({
        type: "content_block_delta",
        index: 0,
        delta: { type: "thinking_delta", thinking: "x".repeat(MIB) },
      }),
    ],
    responses: [
      "",
      writeEvent({ type: "response.reasoning_text.delta", output_index: 0, delta: "x".repeat(MIB) }),
    ],
  },
  "arguments": {
    chat: [
      writeDelta({ tool_calls: [{ index: 0, id: "a", function: { name: "t", arguments: '{"a":"' } }] }),
      writeDelta({ tool_calls: [{ index: 0, function: { arguments: "x".repeat(MIB) } }] }),
    ],
    native: [
      BEGIN + writeEvent({
        type: "content_block_start",
        index: 0,
        content_block: { type: "tool_use", id: "a", name: "t", input: {} },
      }),
      writeEvent({
        type: "content_block_delta",
        index: 0,
        delta: { type: "input_json_delta", partial_json: "x".repeat(MIB) },
      }),
    ],
    responses: [
      writeEvent({
        type: "response.output_item.added",
        output_index: 0,
        item: { type: "function_call", call_id: "a", name: "t", arguments: "" },
      }),
      writeEvent({ type: "response.function_call_arguments.delta", output_index: 0, delta: "x".repeat(MIB) }),
    ],
  },
};

for (const [what, byApi] of Object.entries(GROWING)) {
  for (const api of UPSTREAM_APIS) {
    test(`POST /v1/messages stops at 32 MiB of ${what} that it collects (${api})`, async () => {
      const [begin, piece] = byApi[api];
      const pieces = [toBytes(begin || ": \n\n"), ...repeat(piece, 40)];
      const gateway = createTestGateway({
        settings: API_SETTINGS[api],
        upstream: { body: pieces, ending: "open" },
      });
      const response = await gateway.post(minimalRequest(api));
      const { error } = await response.json();
      assert.deepEqual([response.status, error.type], [502, "api_error"]);
      assert.equal(error.message, "Cannot use the upstream's answer: it is larger than 32 MiB");
      assert.ok(gateway.upstream.idle, "the upstream is cancelled");
    });
  }
}

test("POST /v1/messages streams more than 32 MiB of text", async () => {
  const pieces = [...repeat(writeDelta({ content: "x".repeat(MIB) }), 34)];
  const end = toBytes(writeDelta({}, { finish_reason: "stop" }) + DONE);
  const gateway = createTestGateway({ upstream: { body: [...pieces, end] } });
  const response = await gateway.post(minimalRequest("chat", { stream: true }));
  let size = 0;
  let tail = "";
  for await (const bytes of response.body ?? []) {
    size += bytes.byteLength;
    tail = new TextDecoder().decode(bytes.slice(-200));
  }
  assert.ok(size > 34 * MIB);
  assert.match(tail, /message_stop/);
});

const MANY = 30_000;
const annotation = (at: number) => ({
  type: "url_citation",
  url_citation: { url: `https://a.test/${at}`, content: "c" },
});
const each = <Item>(count: number, toItem: (at: number) => Item) =>
  Array.from({ length: count }, (_, at) => toItem(at));

/** Answers with many citations, and how many of them the client receives. */
const CITED: [name: string, api: UpstreamApi, body: string, received: number][] = [
  [
    "citations_delta events",
    "native",
    BEGIN + block(
      { type: "text", text: "" },
      each(MANY, (at) => ({ type: "citations_delta", citation: { type: "x", at } })),
    ) + END,
    MANY,
  ],
  [
    "annotations before any text",
    "chat",
    each(MANY, (at) => writeDelta({ annotations: [annotation(at)] })).join("") +
    writeDelta({ content: "Hi" }, { finish_reason: "stop" }) + DONE,
    10_000,
  ],
  [
    "annotations after the text",
    "chat",
    writeDelta({ content: "Hi" }) +
    each(MANY, (at) => writeDelta({ annotations: [annotation(at)] })).join("") +
    writeDelta({}, { finish_reason: "stop" }) + DONE,
    10_000,
  ],
  [
    "search results",
    "chat",
    `data: ${
      JSON.stringify({
        choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }],
        citations: each(MANY, (at) => `https://a.test/${at}`),
        search_results: each(MANY, (at) => ({ url: `https://a.test/${MANY - at}`, title: `T${at}` })),
      })
    }\n\n${DONE}`,
    10_000,
  ],
];

for (const [name, api, body, received] of CITED) {
  test(`POST /v1/messages collects ${MANY} ${name} in linear time`, async () => {
    const response = await createTestGateway({ upstream: { body } }).post(minimalRequest(api));
    const { content } = await response.json();
    assert.equal(content.at(-1).citations.length, received);
  });
}

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

/** Returns a stream with a call whose arguments arrive in fragments. */
function callWith(api: UpstreamApi, json: string, size = 1000): string {
  const fragments = json.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
  if (api === "native") {
    return BEGIN + block(
      { type: "tool_use", id: "a", name: "t", input: {} },
      fragments.map((partial_json) => ({ type: "input_json_delta", partial_json })),
    ) + END.replace("end_turn", "tool_use");
  }
  if (api === "responses") {
    const item = { type: "function_call", call_id: "a", name: "t", arguments: "" };
    return writeEvent({ type: "response.output_item.added", output_index: 0, item }) +
      fragments.map((delta) =>
        writeEvent({ type: "response.function_call_arguments.delta", output_index: 0, delta })
      ).join("") +
      writeEvent({ type: "response.completed", response: { status: "completed", output: [] } });
  }
  return fragments.map((text, at) =>
    writeDelta({
      tool_calls: [{
        index: 0,
        ...(at === 0 && { id: "a" }),
        function: { name: at === 0 ? "t" : "", arguments: text },
      }],
    })
  ).join("") + writeDelta({}, { finish_reason: "tool_calls" }) + DONE;
}

const tools = [{
  name: "t",
  input_schema: { type: "object", properties: { l: { type: "array" }, s: { type: "string" } } },
}];

/** Arguments past the bounds of JSON. */
const EXCESSIVE: [what: string, json: string, why: string][] = [
  ["nested 100,000 levels", deep(100_000), "are nested more than 200 levels deep"],
  ["nested 201 levels", deep(201), "are nested more than 200 levels deep"],
  ["a deep list in a string", JSON.stringify(deep(100_000)), "are nested more than 200 levels deep"],
  ["300,000 values", `{"l":[${"1,".repeat(300_000)}1]}`, "have more than 250000 values"],
];

for (const api of UPSTREAM_APIS) {
  for (const [what, json, why] of EXCESSIVE) {
    test(`POST /v1/messages rejects a call whose arguments are ${what} (${api})`, async () => {
      const gateway = createTestGateway({
        settings: API_SETTINGS[api],
        upstream: { body: callWith(api, json, 100_000) },
      });
      const response = await gateway.post(minimalRequest(api, { tools }));
      const answer = await response.json();
      assert.deepEqual([response.status, answer.error.type], [502, "api_error"]);
      // Claude's arguments are never a string, so its content is not parsed.
      const reason = api === "native" && json.startsWith('"') ? "are not one JSON object" : why;
      assert.equal(answer.error.message, `Cannot use the model's tool call: its arguments ${reason}`);
    });
  }

  test(`POST /v1/messages accepts a call whose arguments are nested 200 levels (${api})`, async () => {
    for (const stream of [true, false]) {
      const gateway = createTestGateway({
        settings: API_SETTINGS[api],
        upstream: { body: callWith(api, deep(200)) },
      });
      const response = await gateway.post(minimalRequest(api, { tools, stream }));
      const text = await response.text();
      assert.equal(response.status, 200, text);
      if (!stream) assert.deepEqual(JSON.parse(text).content[0].input, JSON.parse(deep(200)));
      else assert.equal(parseEvents(text).at(-1)?.type, "message_stop");
    }
  });

  for (const stream of [true, false]) {
    test(`POST /v1/messages rejects a JSON answer nested 100,000 levels (${api}, stream ${stream})`, async () => {
      const text = '{"type":"message","role":"assistant","content":[{"type":"x","x":';
      const upstream = {
        headers: { "content-type": "application/json" },
        body: `${text}${
          deep(100_000)
        }}],"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"x":1}`,
      };
      const response = await createTestGateway({ settings: API_SETTINGS[api], upstream }).post(
        minimalRequest(api, { stream }),
      );
      const { error } = await response.json();
      assert.deepEqual([response.status, error.type], [502, "api_error"]);
      assert.match(error.message, /nested more than 200 levels deep$/);
    });
  }
}

test("POST /v1/messages rejects an answer with more than 1000 calls", async () => {
  const calls = each(1001, (index) => ({ index, id: `c${index}`, function: { name: "t", arguments: "{}" } }));
  const body = calls.map((call) => writeDelta({ tool_calls: [call] })).join("") +
    writeDelta({}, { finish_reason: "tool_calls" }) + DONE;
  const response = await createTestGateway({ upstream: { body } }).post(minimalRequest("chat", { tools }));
  const { error } = await response.json();
  assert.deepEqual([response.status, error.message], [
    502,
    "Cannot use the answer: it has more than 1000 tool calls",
  ]);
});

const branches = (count: number) =>
  each(count, (at) => ({ type: "object", properties: { [`p${at % 900}`]: { type: "string" } } }));

/** Schemas that once needed seconds for each item of an argument, or overflowed the stack. */
const SCHEMAS: Record<string, Json> = {
  "40,000 branches": { l: { type: "array", items: { anyOf: branches(40_000) } } },
  "a branch for any type in 40,000": { l: { type: "array", items: { anyOf: [...branches(40_000), {}] } } },
  "20,000 references to a list of references": {
    l: { type: "array", items: { $ref: "#/properties/x" } },
    x: { anyOf: each(20_000, () => ({ $ref: "#/properties/y" })) },
    y: { anyOf: each(20_000, () => ({ $ref: "#/properties/x" })) },
  },
  "a chain of 6000 references": {
    l: { type: "array", items: { $ref: "#/properties/r0" } },
    ...Object.fromEntries(
      each(6000, (at) => [`r${at}`, { anyOf: [{ $ref: `#/properties/r${at + 1}` }, { type: "number" }] }]),
    ),
  },
  "6000 fields with the same 6000 branches": {
    l: {
      type: "array",
      items: {
        type: "object",
        properties: Object.fromEntries(
          each(6000, (at) => [`k${at}`, { anyOf: [{ $ref: "#/properties/b" }] }]),
        ),
      },
    },
    b: { anyOf: branches(6000) },
  },
};

for (const [name, properties] of Object.entries(SCHEMAS)) {
  test(`COERCE_TOOL_INPUT needs linear time for a schema with ${name}`, async () => {
    const item = name.includes("fields")
      ? JSON.stringify(Object.fromEntries(each(6000, (at) => [`k${at}`, "1"])))
      : '"1"';
    const json = `{"l":[${each(name.includes("fields") ? 20 : 50_000, () => item).join(",")}]}`;
    const gateway = createTestGateway({ upstream: { body: callWith("chat", json, 100_000) } });
    const schema = { type: "object", properties };
    const response = await gateway.post(
      minimalRequest("chat", { tools: [{ name: "t", input_schema: schema }] }),
    );
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer.error));
    assert.equal(answer.content[0].type, "tool_use");
  });
}

/** Sealed thinking that a client has changed. */
const SEALED: Record<string, unknown> = {
  "nested 100,000 levels": deep(100_000),
  "a million values": `[${"{},".repeat(1_000_000)}{}]`,
  "100,000 names": `{${each(100_000, (at) => `"k${at}":"${"v".repeat(60)}"`).join(",")}}`,
};

for (const api of UPSTREAM_APIS) {
  for (const [what, json] of Object.entries(SEALED)) {
    test(`POST /v1/messages omits sealed thinking with ${what} (${api})`, async () => {
      const model = api === "native" ? "anthropic/other-model" : MODELS[api];
      const [prefix] = seal("", []).split(".");
      const origin = `openrouter/${model}`;
      const data = btoa(
        `{"origin":${JSON.stringify(origin)},"details":[{"type":"reasoning.text","x":${json}}]}`,
      );
      const thinking = { type: "thinking", thinking: "T", signature: `${prefix}.${data.replace(/=+$/, "")}` };
      const messages = [{ role: "assistant", content: [thinking] }, { role: "user", content: "Hi" }];
      const gateway = createTestGateway({
        settings: API_SETTINGS[api],
        upstream: { body: COMPLETE_STREAMS[api] },
      });
      const response = await gateway.post(minimalRequest(api, { model, messages }));
      const text = await response.text();
      assert.equal(response.status, 200, text);
      assert.ok(JSON.stringify(gateway.upstream.requests[0]?.body).length < 1000);
    });
  }
}
