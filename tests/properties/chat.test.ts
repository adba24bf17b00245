import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toUpstreamToolId } from "../../lib/dialects/tool_id.ts";
import { type ChatStream, chatStream, chatWhole, normalise } from "./chat_stream.ts";
import { checkGrammar, fold, readFrames, type Wire } from "./grammar.ts";
import { createTestGateway, cut, hello, post, SEED, TestUpstream, toBytes } from "./support.ts";

fc.configureGlobal({ seed: SEED, numRuns: 300 });

const sizes = fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 6 });

/** Asks for a message whose upstream answers with these bytes. */
async function ask(pieces: Uint8Array[], fields: Wire, type = "text/event-stream"): Promise<Response> {
  const upstream = new TestUpstream({ pieces, headers: { "content-type": type } });
  const { handler, clock } = createTestGateway(upstream);
  const response = await handler(post(hello("chat", fields)));
  const answer = new Response(await response.text(), response);
  assert.ok(upstream.idle, "the upstream is let go");
  assert.equal(clock.waiting, 0, "no timer is left");
  return answer;
}

async function stream(pieces: Uint8Array[], type?: string): Promise<Wire> {
  const events = readFrames(await (await ask(pieces, { stream: true }, type)).text());
  assert.equal(checkGrammar(events), "message_stop");
  return fold(events);
}

async function single(pieces: Uint8Array[], type?: string): Promise<Wire> {
  return await (await ask(pieces, {}, type)).json();
}

/** Compares a message with what was said; where ids and seals are free, with what they stand for. */
function assertTells(message: Wire, { message: told }: ChatStream): void {
  assert.equal(message.stop_reason, told.stop_reason);
  assert.deepEqual(message.usage, told.usage);
  const content: Wire[] = message.content.map(normalise);
  assert.deepEqual(
    content.map(({ sealed: _sealed, ...block }) =>
      block.type === "tool_use" ? { ...block, id: toUpstreamId(block) } : block
    ),
    told.content,
  );
  for (const { thinking, sealed } of content) {
    if (sealed === undefined) continue;
    const texts = sealed.filter((detail: Wire) => detail.type === "reasoning.text").map((detail: Wire) =>
      detail.text
    );
    assert.equal(texts.join(""), thinking ?? "", "the seal holds what was thought");
  }
  const ids = message.content.filter((block: Wire) => block.type === "tool_use").map(({ id }: Wire) => id);
  assert.equal(new Set(ids).size, ids.length, "no id twice");
}

function toUpstreamId({ id }: Wire): string | undefined {
  return id === undefined ? undefined : toUpstreamToolId(id);
}

test("chat completions tell the same message however their bytes are cut, streamed or not", async () => {
  await fc.assert(fc.asyncProperty(chatStream, sizes, sizes, async (chat, some, others) => {
    const bytes = toBytes(chat.body);
    assertTells(await stream(cut(bytes, some)), chat);
    assertTells(await single(cut(bytes, others)), chat);
  }));
});

test("a whole chat completion tells its message, to a client that streams and to one that does not", async () => {
  await fc.assert(fc.asyncProperty(chatWhole, sizes, async (chat, some) => {
    const pieces = cut(toBytes(chat.body), some);
    assertTells(await stream(pieces, "application/json"), chat);
    assertTells(await single(pieces, "application/json; charset=utf-8"), chat);
  }));
});
