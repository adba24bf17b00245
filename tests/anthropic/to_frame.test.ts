import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import { toFrame } from "../../lib/anthropic/to_frame.ts";

const TEXTS = ["", "Hé\n", '"\\', "\u2028\u0000", "\ud83d", "🙂"];
const FIELDS = { text_delta: "text", thinking_delta: "thinking", input_json_delta: "partial_json" };

test("toFrame() writes the JSON of each event", () => {
  const deltas = Object.entries(FIELDS).flatMap(([type, field]) => [
    ...TEXTS.map((text) => ({ type, [field]: text })),
    { type, [field]: "more", extra: 1 },
    { type, [field]: "more", text: "other", thinking: "other" },
    { type, [field]: { text: "object" } },
    { type, [field]: null },
    { type },
  ]);
  const others = [
    { type: "citations_delta", citation: { text: "a" } },
    { type: "signature_delta", signature: "x" },
    { type: "__proto__", __proto__: null },
  ];
  for (const delta of [...deltas, ...others]) {
    const event: StreamEvent = { type: "content_block_delta", index: 3, delta };
    assert.equal(toFrame(event), `event: content_block_delta\ndata: ${JSON.stringify(event)}\n\n`);
  }
  const stop: StreamEvent = { type: "content_block_stop", index: 3 };
  assert.equal(toFrame(stop), 'event: content_block_stop\ndata: {"type":"content_block_stop","index":3}\n\n');
});
