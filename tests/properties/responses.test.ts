import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toUpstreamToolId } from "../../lib/dialects/tool_id.ts";
import { askUntilIdle } from "./ask.ts";
import {
  type ResponsesAnswer,
  responsesStream,
  responsesWhole,
  unsealBlock,
} from "./generators/responses_stream.ts";
import { cutBySizes, toBytes } from "../kit/bytes.ts";
import { foldEvents, parseEvents } from "../kit/events.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";

const RUNS = { seed: SEED, numRuns: 300 };

const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 6 });

async function streamMessage(pieces: Uint8Array[], type?: string): Promise<Wire> {
  const answer = await askUntilIdle("responses", pieces, { stream: true, max_tokens: 20_000 }, type);
  const events = parseEvents(await answer.text());
  assert.equal(checkGrammar(events), "message_stop");
  return foldEvents(events);
}

async function wholeMessage(pieces: Uint8Array[], type?: string): Promise<Wire> {
  return await (await askUntilIdle("responses", pieces, { max_tokens: 20_000 }, type)).json();
}

function assertMessage(message: Wire, { message: expected }: ResponsesAnswer): void {
  assert.equal(message.stop_reason, expected.stop_reason);
  assert.deepEqual(message.usage, expected.usage);
  const content: Wire[] = message.content.map(unsealBlock);
  assert.deepEqual(
    content.map((block) => block.type === "tool_use" ? { ...block, id: toUpstreamToolId(block.id) } : block),
    expected.content,
  );
  const ids = message.content.filter((block: Wire) => block.type === "tool_use").map(({ id }: Wire) => id);
  assert.equal(new Set(ids).size, ids.length, "no id twice");
  assert.ok(ids.every((id: string) => /^[a-zA-Z0-9_-]+$/.test(id)));
}

test("POST /v1/messages returns the same message for any cut of a stream of the Responses API, streamed or whole", async () => {
  await fc.assert(
    fc.asyncProperty(responsesStream, sizes, sizes, async (answer, some, others) => {
      const bytes = toBytes(answer.body);
      assertMessage(await streamMessage(cutBySizes(bytes, some)), answer);
      assertMessage(await wholeMessage(cutBySizes(bytes, others)), answer);
    }),
    RUNS,
  );
});

test("POST /v1/messages returns the message of a whole response, streamed or whole", async () => {
  await fc.assert(
    fc.asyncProperty(responsesWhole, sizes, async (answer, some) => {
      const pieces = cutBySizes(toBytes(answer.body), some);
      assertMessage(await streamMessage(pieces, "application/json"), answer);
      assertMessage(await wholeMessage(pieces, "application/json; charset=utf-8"), answer);
    }),
    RUNS,
  );
});
