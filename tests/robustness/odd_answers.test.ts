import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../kit/clock.ts";
import { foldEvents, parseEvents } from "../kit/events.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { checkComplete } from "../kit/grammar.ts";
import { dig, type Json, objects, parseJson } from "../kit/json.ts";
import { type FakeResponse, FakeUpstream } from "../kit/upstream.ts";
import { CHAT_ANSWERS } from "./odd_answers/chat.ts";
import { NATIVE_ANSWERS } from "./odd_answers/native.ts";
import type { OddAnswer } from "./odd_answers/odd_answer.ts";
import { RESPONSES_ANSWERS } from "./odd_answers/responses.ts";

const ANSWERS = { openai: CHAT_ANSWERS, anthropic: NATIVE_ANSWERS, responses: RESPONSES_ANSWERS };

const TOOLS = [{
  name: "Read",
  input_schema: { type: "object", properties: { path: { type: "string" } } },
}];

for (const dialect of ["openai", "anthropic", "responses"] as const) {
  for (const answer of ANSWERS[dialect]) {
    for (const stream of [true, false]) {
      const way = stream ? "streamed" : "whole";
      test(`POST /v1/messages returns failures as errors and all content: ${answer.name} (${dialect}, ${way})`, async () => {
        const { message, headers } = await ask(answer, { dialect, stream });
        const error = dig(message, "error");
        assert.equal(dig(error, "type"), answer.error?.[0], JSON.stringify(message));
        if (answer.error !== undefined) {
          return assert.match(String(dig(error, "message")), answer.error[1] ?? /./);
        }
        check(message, answer);
        if (answer.loss !== undefined && !stream) {
          assert.match(headers.get("x-gateway-loss") ?? "", answer.loss);
        }
      });
    }
  }
}

function check(message: Json, { stop, text = "", thinking = "", calls = [] }: OddAnswer): void {
  const blocks = objects(message.content);
  const textOf = (type: string) =>
    blocks.filter((block) => block.type === type).map((block) => block[type]).join("").trim();
  assert.equal(message.stop_reason, stop);
  if (typeof text === "string") assert.equal(textOf("text"), text);
  else assert.match(textOf("text"), text);
  assert.equal(textOf("thinking"), thinking);
  const called = blocks.filter(({ type }) => type === "tool_use").map(({ name, input }) => [name, input]);
  assert.deepEqual(called, calls);
}

/** Sends a request. Returns the message, or the error. */
async function ask(
  { body, contentType = "text/event-stream", ending = "close", error }: OddAnswer,
  { dialect, stream }: { dialect: keyof typeof ANSWERS; stream: boolean },
): Promise<{ message: Json; headers: Headers }> {
  const response: FakeResponse = { body, headers: { "content-type": contentType }, ending };
  const clock = new FakeClock();
  const upstream = new FakeUpstream(response);
  const { post } = createTestGateway({
    upstream,
    clock,
    settings: { UPSTREAMS: { up: { url: "http://up.test/v1", key: "key-of-up", dialect } } },
  });
  const request = {
    model: "up/m",
    max_tokens: 64,
    stream,
    tools: TOOLS,
    messages: [{ role: "user", content: "Hi" }],
  };
  const pending = post(request).then(async (answer) => ({ answer, text: await answer.text() }));
  if (ending === "open") {
    void upstream.stalled.then(() => clock.advance(error === undefined ? 2000 : 600_000));
  }
  const { answer, text } = await pending;
  if (!stream || answer.status !== 200) return { message: parseJson(text), headers: answer.headers };
  const events = parseEvents(text);
  const failure = events.find(({ type }) => type === "error");
  if (failure === undefined) checkComplete(events);
  return { message: failure ?? foldEvents(events), headers: answer.headers };
}
