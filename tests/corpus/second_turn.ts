import assert from "node:assert/strict";
import type { Recording } from "./corpus.ts";
import { toTarget } from "./target.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { type Json, objects, parseJson, text } from "../kit/json.ts";
import { FakeUpstream } from "../kit/upstream.ts";

/** Notes in place of the calls of tools that the host ran. */
const TOOL_NOTE = /^\[The (tool \S+|\w+ tool) /;

/**
 * Sends an answer back with the results of its calls, and returns its items that reach the upstream. Each call must
 * have its result, and no item may have an ID.
 */
export async function secondTurn(recording: Recording, answer: Json): Promise<Json[]> {
  const upstream = new FakeUpstream({ status: 400, body: '{"error":{"message":"enough"}}' });
  const { model, settings } = toTarget(recording);
  const content = objects(answer.content);
  const results = content.filter(({ type }) => type === "tool_use").map(({ id }) => ({
    type: "tool_result",
    tool_use_id: id,
    content: "done",
  }));
  const messages = [
    { role: "user", content: "Say it again" },
    { role: "assistant", content },
    { role: "user", content: [...results, { type: "text", text: "Go on" }] },
  ].filter((message) => message.content.length > 0);
  await createTestGateway({ upstream, settings }).post({ model, max_tokens: 1000, messages });
  const input = objects(upstream.requests[0]?.body.input);
  for (const item of input) {
    assert.ok(!("id" in item) && !("status" in item), "an item has an ID or a status");
  }
  const calls = input.filter(({ type }) => type === "function_call").map(({ call_id }) => call_id);
  const outputs = input.filter(({ type }) => type === "function_call_output").map(({ call_id }) => call_id);
  assert.deepEqual(outputs, calls, "each call has its result");
  assert.ok(calls.every((id) => text(id).length > 0 && text(id).length <= 64));
  return input.flatMap(toReturned);
}

function toReturned(
  { type, role, content, name, arguments: input, encrypted_content, summary }: Json,
): Json[] {
  if (type === "function_call") return [{ name, input: parseJson(text(input)) }];
  if (type === "compaction") return [{ encrypted_content }];
  if (type === "reasoning") return [{ encrypted_content, content: objects(content), summary }];
  if (role !== "assistant") return [];
  const texts = objects(content).map((part) => text(part.text)).filter((part) => !TOOL_NOTE.test(part));
  return texts.map((part) => ({ text: part }));
}
