import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { Chunk, type ToolCallDelta } from "../../../lib/dialects/openai/answer/chunk.ts";
import { toPlainChunk } from "../../../lib/dialects/openai/answer/plain_chunk.ts";
import type { JsonObject } from "../../../lib/base/json.ts";

const HEAD = { id: "gen-1", provider: "P", model: "m", object: "chat.completion.chunk", created: 1 };
const ENDS = { finish_reason: null, native_finish_reason: null, logprobs: null };

const PLAIN: JsonObject[] = [
  { content: "Hello" },
  { content: "" },
  { role: "assistant", content: null },
  { role: "assistant" },
  { content: "", reasoning: "Hm" },
  { content: null, reasoning: null },
  {},
  {
    content: null,
    tool_calls: [{ index: 0, id: "c", type: "function", function: { name: "n", arguments: "" } }],
  },
  { tool_calls: [{ index: 1, function: { arguments: '{"a' } }] },
];

test("toPlainChunk() returns the same as the schema for a piece of text, reasoning or a call", () => {
  for (const delta of PLAIN) {
    const chunk = { ...HEAD, choices: [{ index: 0, delta, ...ENDS }] };
    const [choice] = toPlainChunk(chunk)?.choices ?? [];
    const [expected] = v.parse(Chunk, chunk).choices ?? [];
    for (const field of ["content", "reasoning"] as const) {
      assert.equal(choice?.delta?.[field], expected?.delta?.[field], JSON.stringify(delta));
    }
    assert.deepEqual(choice?.delta?.tool_calls ?? [], delta.tool_calls ?? []);
    assert.deepEqual(toUsed(choice?.delta?.tool_calls), toUsed(expected?.delta?.tool_calls));
    assert.equal(choice?.index, expected?.index);
    assert.equal(choice?.finish_reason, expected?.finish_reason);
  }
});

/** Returns the fields of calls that are read. The schema adds missing ones. */
function toUsed(calls: readonly ToolCallDelta[] | null | undefined) {
  return (calls ?? []).map(({ index, id, function: called, extra_content }) => [
    index,
    id,
    called?.name,
    called?.arguments,
    extra_content,
  ]);
}

const CALL = { index: 0, id: "c", function: { name: "n", arguments: "{}" } };
const ODD_CALLS = [
  [],
  CALL,
  [CALL, CALL],
  [null],
  [{ ...CALL, index: "0" }],
  [{ ...CALL, index: undefined }],
  [{ ...CALL, id: null }],
  [{ ...CALL, id: 1 }],
  [{ ...CALL, name: "n" }],
  [{ ...CALL, extra_content: {} }],
  [{ ...CALL, function: null }],
  [{ ...CALL, function: { name: null, arguments: "" } }],
  [{ ...CALL, function: { name: "n" } }],
  [{ ...CALL, function: { name: "n", arguments: {} } }],
  [{ ...CALL, function: { name: "n", arguments: "", x: 1 } }],
];

test("toPlainChunk() returns undefined for every other chunk", () => {
  const choice = { index: 0, delta: { content: "Hello" }, ...ENDS };
  const others: JsonObject[] = [
    {},
    { choices: [] },
    { choices: null },
    { choices: { 0: choice } },
    { choices: [choice, choice] },
    { choices: [null] },
    { choices: [{ ...choice, finish_reason: "stop" }] },
    { choices: [{ ...choice, index: "0" }] },
    { choices: [{ ...choice, error: null }] },
    { choices: [{ ...choice, message: { content: "Hello" } }] },
    { choices: [{ ...choice, delta: null }] },
    ...["tool_calls", "reasoning_details", "reasoning_content", "annotations", "refusal", "images", "audio"]
      .map((name) => ({ choices: [{ ...choice, delta: { ...choice.delta, [name]: null } }] })),
    { choices: [{ ...choice, delta: { content: ["Hello"] } }] },
    ...ODD_CALLS.map((calls) => ({ choices: [{ ...choice, delta: { tool_calls: calls } }] })),
    { choices: [{ ...choice, delta: { reasoning: "Hm", tool_calls: [CALL] } }] },
    { choices: [{ ...choice, delta: { content: "", reasoning: { text: "Hm" } } }] },
    ...["usage", "error", "cost", "citations", "x_groq", "base_resp", "success"]
      .map((name) => ({ choices: [choice], [name]: null })),
  ];
  for (const chunk of others) assert.equal(toPlainChunk(chunk), undefined, JSON.stringify(chunk));
});
