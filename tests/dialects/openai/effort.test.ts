import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessagesRequest } from "../../../lib/anthropic/parse.ts";
import type { ModelFacts } from "../../../lib/dialects/mod.ts";
import { createChatDialect } from "../../../lib/dialects/openai/mod.ts";
import { CHAT_FEATURES } from "../../../lib/dialects/presets.ts";
import type { Preset } from "../../../lib/config/presets.ts";
import { toContext } from "../../properties/generators/families.ts";
import { isJson, type Json } from "../../kit/json.ts";

interface Case {
  fields: Json;
  preset?: Preset;
  facts?: ModelFacts;
  expected: Json;
  lost?: string[];
}

const budget = (tokens: number) => ({ thinking: { type: "enabled", budget_tokens: tokens } });
const effort = (effort: string) => ({ output_config: { effort } });
const adaptive = { thinking: { type: "adaptive" } };
const disabled = { thinking: { type: "disabled" } };
const thinks = (reasoning: Partial<NonNullable<ModelFacts["reasoning"]>>): ModelFacts => ({
  reasoning: { mandatory: false, budget: true, ...reasoning },
});
const few = thinks({ efforts: ["low", "medium", "high"], budget: false });
const mandatory = thinks({ efforts: ["high", "low"], mandatory: true });

const CASES: Record<string, Case> = {
  "sends nothing for a request without thinking": { fields: {}, expected: {} },
  "sends a budget as max_tokens": { fields: budget(2000), expected: { reasoning: { max_tokens: 2000 } } },
  "sends a budget rather than an effort": {
    fields: { ...budget(2000), ...effort("low") },
    expected: { reasoning: { max_tokens: 2000 } },
    lost: ["output_config.effort;dropped"],
  },
  "limits a budget to leave room for the answer": {
    fields: budget(9000),
    facts: { maxOutput: 5000 },
    expected: { reasoning: { max_tokens: 4000 } },
    lost: ["max_tokens;approximated", "thinking.budget_tokens;approximated"],
  },
  "raises a budget to the minimum": {
    fields: budget(100),
    expected: { reasoning: { max_tokens: 1024 } },
    lost: ["thinking.budget_tokens;approximated"],
  },
  ...Object.fromEntries(
    [[1024, "low"], [2000, "low"], [5000, "medium"], [8000, "high"], [9999, "high"]].map((
      [tokens, level],
    ) => [`a budget of ${tokens} in 10000 is ${level} where there are none`, {
      fields: budget(Number(tokens)),
      facts: few,
      expected: { reasoning: { effort: level } },
      lost: ["thinking.budget_tokens;approximated"],
    }]),
  ),
  "sends the effort if the model accepts no budget": {
    fields: { ...budget(9000), ...effort("low") },
    facts: few,
    expected: { reasoning: { effort: "low" } },
    lost: ["thinking.budget_tokens;approximated"],
  },
  ...Object.fromEntries(["low", "medium", "high", "xhigh", "max"].map((level) => [`sends effort ${level}`, {
    fields: { ...adaptive, ...effort(level) },
    expected: { reasoning: { effort: level } },
  }])),
  ...Object.fromEntries(
    [["xhigh", "high"], ["max", "high"], ["minimal", "low"]].map(([wanted = "", level]) => [
      `effort ${wanted} becomes the nearest that the model has`,
      {
        fields: { ...adaptive, ...effort(wanted) },
        facts: few,
        expected: { reasoning: { effort: level } },
        lost: ["output_config.effort;approximated"],
      },
    ]),
  ),
  "sends the lower of two equally near efforts": {
    fields: effort("medium"),
    facts: mandatory,
    expected: { reasoning: { effort: "low" } },
    lost: ["output_config.effort;approximated"],
  },
  "drops an unknown effort": {
    fields: { ...adaptive, ...effort("later") },
    expected: { reasoning: { enabled: true } },
    lost: ["output_config.effort;dropped"],
  },
  "enables reasoning for adaptive thinking": { fields: adaptive, expected: { reasoning: { enabled: true } } },
  "enables reasoning for thinking between tools": {
    fields: { thinking: { type: "between_tools" }, ...effort("high") },
    expected: { reasoning: { effort: "high" } },
    lost: ["thinking;approximated"],
  },
  "drops an unknown type of thinking": {
    fields: { thinking: { type: "later" } },
    expected: {},
    lost: ["thinking;dropped"],
  },
  "disables reasoning for disabled thinking": {
    fields: disabled,
    expected: { reasoning: { enabled: false } },
  },
  "sends no effort for disabled thinking": {
    fields: { ...disabled, ...effort("max") },
    expected: { reasoning: { enabled: false } },
    lost: ["output_config.effort;dropped"],
  },
  "sends the lowest effort to a model that must think": {
    fields: disabled,
    facts: mandatory,
    expected: { reasoning: { effort: "low" } },
    lost: ["thinking;approximated"],
  },
  "sends a low effort to a model that must think without listed efforts": {
    fields: disabled,
    facts: thinks({ mandatory: true }),
    expected: { reasoning: { effort: "low" } },
    lost: ["thinking;approximated"],
  },
  "never sends effort none to a model that must think": {
    fields: effort("none"),
    facts: thinks({ mandatory: true, efforts: ["none", "medium"] }),
    expected: { reasoning: { effort: "medium" } },
    lost: ["output_config.effort;approximated"],
  },
  "drops thinking for a model that cannot think": {
    fields: { ...adaptive, ...effort("high") },
    facts: { parameters: new Set(["max_tokens"]) },
    expected: {},
    lost: ["thinking;dropped", "output_config.effort;dropped"],
  },
  "sends nothing to disable thinking of a model that cannot think": {
    fields: disabled,
    facts: { parameters: new Set(["max_tokens"]) },
    expected: {},
  },
  "enables reasoning for a model that lists it": {
    fields: adaptive,
    facts: { parameters: new Set(["reasoning"]) },
    expected: { reasoning: { enabled: true } },
  },
  "sends the last of several efforts": {
    fields: {
      ...effort("low"),
      messages: [
        { role: "user", content: "?", ...effort("high") },
        { role: "system", content: [], ...effort("medium") },
        { role: "user", content: "!", ...effort("medium") },
      ],
    },
    expected: { reasoning: { effort: "medium" } },
    lost: ["output_config.effort;dropped", "messages.0.output_config.effort;dropped"],
  },
  "sends reasoning_effort to a host without budgets": {
    fields: { ...adaptive, ...effort("medium") },
    preset: "openai",
    expected: { reasoning_effort: "medium" },
  },
  "maps an effort to one of three": {
    fields: { ...adaptive, ...effort("max") },
    preset: "groq",
    expected: { reasoning_effort: "high" },
    lost: ["output_config.effort;approximated"],
  },
  "maps a budget to an effort for a host without budgets": {
    fields: budget(5000),
    preset: "gemini",
    expected: { reasoning_effort: "medium" },
    lost: ["thinking.budget_tokens;approximated"],
  },
  "drops adaptive thinking for a host with efforts only": {
    fields: adaptive,
    preset: "openai",
    expected: {},
    lost: ["thinking;dropped"],
  },
  "does not send effort none to a host that may reject it": {
    fields: disabled,
    preset: "openai",
    expected: {},
    lost: ["thinking;dropped"],
  },
  "sends effort none if the model lists it": {
    fields: disabled,
    preset: "openai",
    facts: thinks({ efforts: ["none", "low"] }),
    expected: { reasoning_effort: "none" },
  },
  "enables thinking with a budget for a host with a switch": {
    fields: { ...adaptive, ...effort("max") },
    preset: "deepseek",
    expected: { thinking: { type: "enabled" }, reasoning_effort: "max" },
  },
  "enables thinking for a host with a switch": {
    fields: adaptive,
    preset: "deepseek",
    expected: { thinking: { type: "enabled" } },
  },
  "maps a budget to an effort for a host with a switch": {
    fields: budget(2000),
    preset: "deepseek",
    expected: { thinking: { type: "enabled" }, reasoning_effort: "low" },
    lost: ["thinking.budget_tokens;approximated"],
  },
  "disables thinking for a host with a switch": {
    fields: disabled,
    preset: "deepseek",
    expected: { thinking: { type: "disabled" } },
  },
  "sends nothing for disabled thinking to a host without a field for it": {
    fields: disabled,
    preset: "mistral",
    expected: {},
    lost: ["thinking;dropped"],
  },
  "drops thinking for a host without a field for it": {
    fields: { ...budget(5000), ...effort("low") },
    preset: "mistral",
    expected: {},
    lost: ["thinking;dropped", "output_config.effort;dropped"],
  },
};

for (
  const [name, { fields, preset = "openrouter", facts = {}, expected, lost = [] }] of Object.entries(CASES)
) {
  test(`toReasoning() ${name}`, () => {
    const request = parseMessagesRequest({
      model: "m",
      max_tokens: 10_000,
      messages: [{ role: "user", content: "?" }],
      ...fields,
    });
    const context = { ...toContext("m"), facts };
    const body: unknown = createChatDialect(CHAT_FEATURES[preset]).toBody(request, context);
    assert.ok(isJson(body));
    const { reasoning, reasoning_effort, thinking } = body;
    assert.deepEqual(
      {
        ...(thinking !== undefined && { thinking }),
        ...(reasoning !== undefined && { reasoning }),
        ...(reasoning_effort !== undefined && { reasoning_effort }),
      },
      expected,
    );
    assert.deepEqual(context.loss.entries.map((entry) => entry.join(";")).sort(), lost.toSorted());
  });
}
