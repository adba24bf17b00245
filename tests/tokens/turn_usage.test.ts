import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamEvent } from "../../lib/anthropic/events.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { ModelFacts } from "../../lib/dialects/mod.ts";
import { OutputCounter } from "../../lib/tokens/output_counter.ts";
import { requestedThinking } from "../../lib/tokens/requested_thinking.ts";
import { countByRuns } from "../../lib/tokens/text.ts";
import { type TallyOptions, type UsageReports, UsageTally } from "../../lib/tokens/turn_usage.ts";

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
const deltaEvent = (delta: { type: string; [field: string]: unknown }): StreamEvent => ({
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
  deltaEvent({ type: "thinking_delta", thinking: "Bees dance" }),
  deltaEvent({ type: "text_delta", text: " 蜜蜂跳舞" }),
  deltaEvent({ type: "input_json_delta", partial_json: " 12" }),
  deltaEvent({ type: "signature_delta", signature: "x".repeat(1000) }),
];

interface Case {
  what: string;
  events: StreamEvent[];
  reports?: UsageReports;
  left?: boolean;
  expected: [input: number, output: number, usd: number | undefined];
}

const CASES: Case[] = [
  { what: "the estimate for an answer without events", events: [], expected: [100, 0, 100] },
  {
    what: "the estimate of the input instead of one in message_start",
    events: [start({ input_tokens: 7, output_tokens: 0 })],
    expected: [100, 0, 100],
  },
  {
    what: "the reported usage of an answer that began",
    events: [start({ input_tokens: 7, output_tokens: 1 })],
    reports: { inputTokens: 7 },
    expected: [7, 1, 17],
  },
  {
    what: "the text of an answer that broke off",
    events: [start({ input_tokens: 7, output_tokens: 1 }), ...EIGHT],
    reports: { inputTokens: 7 },
    expected: [7, 8, 87],
  },
  {
    what: "no hidden thinking of an answer that broke off by itself",
    events: [deltaEvent({ type: "text_delta", text: "Hi" })],
    expected: [100, 1, 110],
  },
  {
    what: "requested hidden thinking, if the client disconnected",
    events: [deltaEvent({ type: "text_delta", text: "Hi" })],
    left: true,
    expected: [100, 501, 5110],
  },
  {
    what: "hidden thinking, if the client left before the answer",
    events: [],
    left: true,
    expected: [100, 500, 5100],
  },
  {
    what: "hidden thinking of which only a signature came",
    events: [
      deltaEvent({ type: "thinking_delta", thinking: "" }),
      deltaEvent({ type: "signature_delta", signature: "x" }),
    ],
    left: true,
    expected: [100, 500, 5100],
  },
  {
    what: "thinking that was received by its text",
    events: EIGHT,
    left: true,
    expected: [100, 8, 180],
  },
  {
    what: "hidden thinking and text up to max_tokens",
    events: [deltaEvent({ type: "text_delta", text: "蜂".repeat(400) })],
    left: true,
    expected: [100, 700, 7100],
  },
  {
    what: "a report within an answer as the least",
    events: EIGHT,
    reports: { inputTokens: 7, outputTokens: 20 },
    expected: [0, 20, 200],
  },
  {
    what: "the final usage of a whole answer",
    events: [
      start({ input_tokens: 7, output_tokens: 1 }),
      ...EIGHT,
      end({ input_tokens: 9, output_tokens: 3 }),
    ],
    reports: { inputTokens: 9, outputTokens: 3 },
    left: true,
    expected: [9, 3, 39],
  },
  {
    what: "a whole answer without a report by its text",
    events: [...EIGHT, end({ input_tokens: 8, output_tokens: 2 })],
    expected: [100, 8, 180],
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
    reports: { outputTokens: 1 },
    expected: [14, 1, 33],
  },
  {
    what: "a long input at the price of long input",
    events: [end({ input_tokens: 2000, output_tokens: 0 })],
    reports: { outputTokens: 0 },
    expected: [2000, 0, 6000],
  },
  {
    what: "the cost that the upstream reports",
    events: EIGHT,
    reports: { cost: 0.25 },
    expected: [100, 8, 0.25],
  },
  { what: "a reported cost of zero", events: EIGHT, reports: { cost: 0 }, expected: [100, 8, 0] },
  {
    what: "the list price instead of a negative cost",
    events: [],
    reports: { cost: -4 },
    expected: [100, 0, 100],
  },
  {
    what: "the list price instead of an infinite cost",
    events: [],
    reports: { cost: Infinity },
    expected: [100, 0, 100],
  },
  {
    what: "invalid counts as zero",
    events: [end({ input_tokens: Number.NaN, output_tokens: -3, cache_read_input_tokens: 1e300 })],
    reports: { outputTokens: -3 },
    expected: [0, 0, 0],
  },
];

const OPTIONS: TallyOptions = {
  price: PRICE,
  countInput: () => 100,
  correctOutput: (tokens) => tokens,
  requestedThinking: 500,
  maxTokens: 700,
};

for (const { what, events, reports = {}, left = false, expected } of CASES) {
  test(`toTurnUsage() counts ${what}`, () => {
    const tally = new UsageTally(OPTIONS);
    tally.add(events);
    const { inputTokens, outputTokens, usd } = tally.toTurnUsage(reports, { left });
    assert.deepEqual([inputTokens, outputTokens, usd], expected);
  });
}

test("toTurnUsage() returns no cost for a model without a list price", () => {
  for (const price of [undefined, {}, { input: 1 }, { output: 1 }]) {
    const tally = new UsageTally({ ...OPTIONS, price });
    assert.equal(tally.toTurnUsage({}, { left: false }).usd, undefined);
    assert.equal(tally.toTurnUsage({ cost: 2 }, { left: false }).usd, 2);
  }
});

const BUDGETS: [body: JsonObject, tokens: number, facts?: ModelFacts][] = [
  [{}, 0],
  [{ thinking: { type: "enabled", budget_tokens: 3000 } }, 3000],
  [{ thinking: { type: "enabled", budget_tokens: 30_000 } }, 10_000],
  [{ reasoning: { max_tokens: 2000 } }, 2000],
  [{ reasoning: { max_tokens: 9000 } }, 8000, { maxOutput: 8000 }],
  [{ thinking: { type: "adaptive" } }, 5000],
  [{ thinking: { type: "adaptive" }, output_config: { effort: "high" } }, 8000],
  [{ output_config: { effort: "high" } }, 0],
  [{ thinking: { type: "enabled" } }, 5000],
  [{ thinking: { type: "disabled" } }, 0],
  [{ reasoning: { enabled: true } }, 5000],
  [{ reasoning: { enabled: false } }, 0],
  [{ reasoning: { effort: "none" } }, 0],
  [{ reasoning: { effort: "minimal" } }, 1000],
  [{ reasoning_effort: "low" }, 2000],
  [{ reasoning_effort: "max" }, 9500],
  [{}, 5000, { reasoning: { mandatory: true, budget: false } }],
  [{ reasoning: { effort: "low" } }, 2000, { reasoning: { mandatory: true, budget: false } }],
];

for (const [body, tokens, facts = {}] of BUDGETS) {
  test(`requestedThinking() of ${JSON.stringify({ ...body, ...facts })} is ${tokens}`, () => {
    assert.equal(requestedThinking(body, { maxTokens: 10_000, facts }), tokens);
  });
}

test("OutputCounter counts pieces as it counts their whole, in any cut", () => {
  const text = "Bees dance, 蜜蜂跳舞, in 128 figures.\n".repeat(400);
  const whole = countByRuns(text);
  for (const size of [1, 7, 4095, text.length]) {
    const counter = new OutputCounter();
    for (let at = 0; at < text.length; at += size) counter.add(text.slice(at, at + size));
    assert.ok(
      Math.abs(counter.tokens - whole) <= 2 * text.length / 4096,
      `${size}: ${counter.tokens}, ${whole}`,
    );
  }
});
