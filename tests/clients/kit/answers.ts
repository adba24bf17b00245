import assert from "node:assert/strict";
import { z } from "zod";

/** A block of an answer, without the fields that are always null. */
export type Block =
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: unknown }
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "redacted_thinking"; data: string };

const Block = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() }),
  z.object({ type: z.literal("redacted_thinking"), data: z.string() }),
]);

/** Reads the blocks of an answer; throws if there is one of another type. */
export function parseBlocks(content: readonly unknown[]): Block[] {
  return z.array(Block).parse(content);
}

const Event = z.looseObject({
  type: z.string(),
  index: z.number().optional(),
  delta: z.looseObject({ text: z.string().optional(), partial_json: z.string().optional() }).optional(),
});

/**
 * Checks that events follow the grammar of a stream: `message_start`, blocks one after the other with indexes from 0,
 * one `message_delta`, `message_stop` last. Returns the text of the deltas.
 */
export function checkEvents(events: readonly unknown[]): string[] {
  const seen = z.array(Event).parse(events).filter(({ type }) => type !== "ping");
  assert.equal(seen.shift()?.type, "message_start");
  assert.equal(seen.pop()?.type, "message_stop");
  assert.equal(seen.pop()?.type, "message_delta");
  let [open, next]: [number | undefined, number] = [undefined, 0];
  for (const { type, index } of seen) {
    if (type === "content_block_start") {
      assert.equal(open, undefined, "a block starts while another is open");
      assert.equal(index, next++, "a block's index leaves a gap");
      open = index;
    } else {
      assert.match(type, /^content_block_(delta|stop)$/);
      assert.equal(index, open, `${type} belongs to no open block`);
      if (type === "content_block_stop") open = undefined;
    }
  }
  assert.equal(open, undefined, "a block is never closed");
  return seen.flatMap(({ delta }) => delta?.text ?? []);
}
