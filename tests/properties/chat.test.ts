import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toUpstreamToolId } from "../../lib/dialects/tool_id.ts";
import { askUntilIdle } from "./ask.ts";
import { type ChatStream, chatStream, chatWhole, normalise } from "./generators/chat_stream.ts";
import { cutBySizes, toBytes } from "../kit/bytes.ts";
import { foldEvents, parseEvents } from "../kit/events.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";

const RUNS = { seed: SEED, numRuns: 300 };

const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 6 });

async function streamMessage(pieces: Uint8Array[], type?: string): Promise<Wire> {
  const events = parseEvents(await (await askUntilIdle("chat", pieces, { stream: true }, type)).text());
  assert.equal(checkGrammar(events), "message_stop");
  return foldEvents(events);
}

async function wholeMessage(pieces: Uint8Array[], type?: string): Promise<Wire> {
  return await (await askUntilIdle("chat", pieces, {}, type)).json();
}

/** Compares a message with the expected one: ids by the upstream's ids, sealed reasoning by its text. */
function assertMessage(message: Wire, { message: expected }: ChatStream): void {
  assert.equal(message.stop_reason, expected.stop_reason);
  assert.deepEqual(message.usage, expected.usage);
  const content: Wire[] = message.content.map(normalise);
  assert.deepEqual(
    content.map(({ sealed: _sealed, ...block }) =>
      block.type === "tool_use" ? { ...block, id: toUpstreamId(block) } : block
    ),
    expected.content,
  );
  for (const { thinking, sealed } of content) {
    if (sealed === undefined) continue;
    const texts = sealed.filter((detail: Wire) => detail.type === "reasoning.text").map((detail: Wire) =>
      detail.text
    );
    assert.equal(texts.join(""), thinking ?? "", "the sealed value holds the reasoning");
  }
  const ids = message.content.filter((block: Wire) => block.type === "tool_use").map(({ id }: Wire) => id);
  assert.equal(new Set(ids).size, ids.length, "no id twice");
}

function toUpstreamId({ id }: Wire): string | undefined {
  return id === undefined ? undefined : toUpstreamToolId(id);
}

test("POST /v1/messages returns the same message for any cut of a chat completion stream, streamed or whole", async () => {
  await fc.assert(
    fc.asyncProperty(chatStream, sizes, sizes, async (chat, some, others) => {
      const bytes = toBytes(chat.body);
      assertMessage(await streamMessage(cutBySizes(bytes, some)), chat);
      assertMessage(await wholeMessage(cutBySizes(bytes, others)), chat);
    }),
    RUNS,
  );
});

test("POST /v1/messages returns the message of a whole chat completion, streamed or whole", async () => {
  await fc.assert(
    fc.asyncProperty(chatWhole, sizes, async (chat, some) => {
      const pieces = cutBySizes(toBytes(chat.body), some);
      assertMessage(await streamMessage(pieces, "application/json"), chat);
      assertMessage(await wholeMessage(pieces, "application/json; charset=utf-8"), chat);
    }),
    RUNS,
  );
});
