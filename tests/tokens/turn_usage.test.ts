import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import { UsageTally } from "../../lib/tokens/turn_usage.ts";

const PRICE = {
  input: 1,
  cacheRead: 0.1,
  cacheWrite: 2,
  output: 10,
  inputTiers: [{ above: 1000, input: 3 }],
};

const start = (usage: { input_tokens: number; output_tokens: number }): StreamEvent => ({
  type: "message_start",
  message: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  },
});
const say = (delta: { type: string; [field: string]: unknown }): StreamEvent => ({
  type: "content_block_delta",
  index: 0,
  delta,
});
const end = (usage: { output_tokens: number; [field: string]: unknown }): StreamEvent => ({
  type: "message_delta",
  delta: { stop_reason: "end_turn", stop_sequence: null },
  usage,
});

const EIGHT = [
  say({ type: "text_delta", text: "1234" }),
  say({ type: "thinking_delta", thinking: "12345678" }),
  say({ type: "input_json_delta", partial_json: "1234567890123456789" }),
  say({ type: "signature_delta", signature: "x".repeat(1000) }),
];

interface Case {
  what: string;
  events: StreamEvent[];
  cost?: number;
  bill: [input: number, output: number, usd: number | undefined];
}

const CASES: Case[] = [
  { what: "the estimate for an answer without events", events: [], bill: [100, 0, 100] },
  {
    what: "the reported usage of an answer that began",
    events: [start({ input_tokens: 7, output_tokens: 1 })],
    bill: [7, 1, 17],
  },
  {
    what: "the length of an answer that broke off",
    events: [start({ input_tokens: 7, output_tokens: 1 }), ...EIGHT],
    bill: [7, 8, 87],
  },
  {
    what: "the final usage of a whole answer",
    events: [
      start({ input_tokens: 7, output_tokens: 1 }),
      ...EIGHT,
      end({ input_tokens: 9, output_tokens: 3 }),
    ],
    bill: [9, 3, 39],
  },
  {
    what: "each kind of cached input at its price",
    events: [
      end({
        input_tokens: 10,
        cache_read_input_tokens: 50,
        cache_creation_input_tokens: 4,
        output_tokens: 1,
      }),
    ],
    bill: [14, 1, 33],
  },
  {
    what: "a long input at the price of long input",
    events: [end({ input_tokens: 2000, output_tokens: 0 })],
    bill: [2000, 0, 6000],
  },
  { what: "the cost that the upstream reports", events: EIGHT, cost: 0.25, bill: [100, 8, 0.25] },
  { what: "a reported cost of zero", events: EIGHT, cost: 0, bill: [100, 8, 0] },
  { what: "the list price instead of a negative cost", events: [], cost: -4, bill: [100, 0, 100] },
  { what: "the list price instead of an infinite cost", events: [], cost: Infinity, bill: [100, 0, 100] },
  {
    what: "invalid counts as zero",
    events: [end({ input_tokens: Number.NaN, output_tokens: -3, cache_read_input_tokens: 1e300 })],
    bill: [0, 0, 0],
  },
];

for (const { what, events, cost, bill } of CASES) {
  test(`toTurnUsage() counts ${what}`, () => {
    const tally = new UsageTally({ inputTokens: 100, price: PRICE });
    tally.add(events);
    const { inputTokens, outputTokens, usd } = tally.toTurnUsage(cost);
    assert.deepEqual([inputTokens, outputTokens, usd], bill);
  });
}

test("toTurnUsage() returns no cost for a model without a list price", () => {
  for (const price of [undefined, {}, { input: 1 }, { output: 1 }]) {
    assert.equal(new UsageTally({ inputTokens: 1, price }).toTurnUsage(undefined).usd, undefined);
    assert.equal(new UsageTally({ inputTokens: 1, price }).toTurnUsage(2).usd, 2);
  }
});
