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
  asked: Json;
  preset?: Preset;
  facts?: ModelFacts;
  said: Json;
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
  "sends nothing for a request without thinking": { asked: {}, said: {} },
  "sends a budget as max_tokens": { asked: budget(2000), said: { reasoning: { max_tokens: 2000 } } },
  "sends a budget rather than an effort": {
    asked: { ...budget(2000), ...effort("low") },
    said: { reasoning: { max_tokens: 2000 } },
    lost: ["output_config.effort;dropped"],
  },
  "limits a budget to leave room for the answer": {
    asked: budget(9000),
    facts: { maxOutput: 5000 },
    said: { reasoning: { max_tokens: 4000 } },
    lost: ["max_tokens;approximated", "thinking.budget_tokens;approximated"],
  },
  "raises a budget to the minimum": {
    asked: budget(100),
    said: { reasoning: { max_tokens: 1024 } },
    lost: ["thinking.budget_tokens;approximated"],
  },
  ...Object.fromEntries(
    [[1024, "low"], [2000, "low"], [5000, "medium"], [8000, "high"], [9999, "high"]].map((
      [tokens, level],
    ) => [`a budget of ${tokens} in 10000 is ${level} where there are none`, {
      asked: budget(Number(tokens)),
      facts: few,
      said: { reasoning: { effort: level } },
      lost: ["thinking.budget_tokens;approximated"],
    }]),
  ),
  "sends the effort if the model takes no budget": {
    asked: { ...budget(9000), ...effort("low") },
    facts: few,
    said: { reasoning: { effort: "low" } },
    lost: ["thinking.budget_tokens;approximated"],
  },
  ...Object.fromEntries(["low", "medium", "high", "xhigh", "max"].map((level) => [`effort ${level} is said`, {
    asked: { ...adaptive, ...effort(level) },
    said: { reasoning: { effort: level } },
  }])),
  ...Object.fromEntries(
    [["xhigh", "high"], ["max", "high"], ["minimal", "low"]].map(([wanted = "", level]) => [
      `effort ${wanted} becomes the nearest that the model has`,
      {
        asked: { ...adaptive, ...effort(wanted) },
        facts: few,
        said: { reasoning: { effort: level } },
        lost: ["output_config.effort;approximated"],
      },
    ]),
  ),
  "sends the lower of two equally near efforts": {
    asked: effort("medium"),
    facts: mandatory,
    said: { reasoning: { effort: "low" } },
    lost: ["output_config.effort;approximated"],
  },
  "drops an unknown effort": {
    asked: { ...adaptive, ...effort("later") },
    said: { reasoning: { enabled: true } },
    lost: ["output_config.effort;dropped"],
  },
  "enables reasoning for adaptive thinking": { asked: adaptive, said: { reasoning: { enabled: true } } },
  "enables reasoning for thinking between tools": {
    asked: { thinking: { type: "between_tools" }, ...effort("high") },
    said: { reasoning: { effort: "high" } },
    lost: ["thinking;approximated"],
  },
  "drops an unknown type of thinking": {
    asked: { thinking: { type: "later" } },
    said: {},
    lost: ["thinking;dropped"],
  },
  "disables reasoning for disabled thinking": { asked: disabled, said: { reasoning: { enabled: false } } },
  "sends no effort for disabled thinking": {
    asked: { ...disabled, ...effort("max") },
    said: { reasoning: { enabled: false } },
    lost: ["output_config.effort;dropped"],
  },
  "sends the lowest effort to a model that must think": {
    asked: disabled,
    facts: mandatory,
    said: { reasoning: { effort: "low" } },
    lost: ["thinking;approximated"],
  },
  "sends a low effort to a model that must think without listed efforts": {
    asked: disabled,
    facts: thinks({ mandatory: true }),
    said: { reasoning: { effort: "low" } },
    lost: ["thinking;approximated"],
  },
  "never sends effort none to a model that must think": {
    asked: effort("none"),
    facts: thinks({ mandatory: true, efforts: ["none", "medium"] }),
    said: { reasoning: { effort: "medium" } },
    lost: ["output_config.effort;approximated"],
  },
  "drops thinking for a model that cannot think": {
    asked: { ...adaptive, ...effort("high") },
    facts: { parameters: new Set(["max_tokens"]) },
    said: {},
    lost: ["thinking;dropped", "output_config.effort;dropped"],
  },
  "sends nothing to disable thinking of a model that cannot think": {
    asked: disabled,
    facts: { parameters: new Set(["max_tokens"]) },
    said: {},
  },
  "enables reasoning for a model that lists it": {
    asked: adaptive,
    facts: { parameters: new Set(["reasoning"]) },
    said: { reasoning: { enabled: true } },
  },
  "sends the last of several efforts": {
    asked: {
      ...effort("low"),
      messages: [
        { role: "user", content: "?", ...effort("high") },
        { role: "system", content: [], ...effort("medium") },
        { role: "user", content: "!", ...effort("medium") },
      ],
    },
    said: { reasoning: { effort: "medium" } },
    lost: ["output_config.effort;dropped", "messages.0.output_config.effort;dropped"],
  },
  "sends reasoning_effort to a host without budgets": {
    asked: { ...adaptive, ...effort("medium") },
    preset: "openai",
    said: { reasoning_effort: "medium" },
  },
  "maps an effort to one of three": {
    asked: { ...adaptive, ...effort("max") },
    preset: "groq",
    said: { reasoning_effort: "high" },
    lost: ["output_config.effort;approximated"],
  },
  "maps a budget to an effort for a host without budgets": {
    asked: budget(5000),
    preset: "gemini",
    said: { reasoning_effort: "medium" },
    lost: ["thinking.budget_tokens;approximated"],
  },
  "drops adaptive thinking for a host with efforts only": {
    asked: adaptive,
    preset: "openai",
    said: {},
    lost: ["thinking;dropped"],
  },
  "does not send effort none to a host that may reject it": {
    asked: disabled,
    preset: "openai",
    said: {},
    lost: ["thinking;dropped"],
  },
  "sends effort none if the model lists it": {
    asked: disabled,
    preset: "openai",
    facts: thinks({ efforts: ["none", "low"] }),
    said: { reasoning_effort: "none" },
  },
  "enables thinking with a budget for a host with a switch": {
    asked: { ...adaptive, ...effort("max") },
    preset: "deepseek",
    said: { thinking: { type: "enabled" }, reasoning_effort: "max" },
  },
  "enables thinking for a host with a switch": {
    asked: adaptive,
    preset: "deepseek",
    said: { thinking: { type: "enabled" } },
  },
  "maps a budget to an effort for a host with a switch": {
    asked: budget(2000),
    preset: "deepseek",
    said: { thinking: { type: "enabled" }, reasoning_effort: "low" },
    lost: ["thinking.budget_tokens;approximated"],
  },
  "disables thinking for a host with a switch": {
    asked: disabled,
    preset: "deepseek",
    said: { thinking: { type: "disabled" } },
  },
  "sends nothing for disabled thinking to a host without a field for it": {
    asked: disabled,
    preset: "mistral",
    said: {},
    lost: ["thinking;dropped"],
  },
  "drops thinking for a host without a field for it": {
    asked: { ...budget(5000), ...effort("low") },
    preset: "mistral",
    said: {},
    lost: ["thinking;dropped", "output_config.effort;dropped"],
  },
};

for (const [name, { asked, preset = "openrouter", facts = {}, said, lost = [] }] of Object.entries(CASES)) {
  test(`toReasoning() ${name}`, () => {
    const request = parseMessagesRequest({
      model: "m",
      max_tokens: 10_000,
      messages: [{ role: "user", content: "?" }],
      ...asked,
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
      said,
    );
    assert.deepEqual(context.loss.entries.map((entry) => entry.join(";")).sort(), lost.toSorted());
  });
}
