import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessagesRequest } from "../../../lib/anthropic/parse.ts";
import type { ModelFacts } from "../../../lib/dialects/mod.ts";
import { createChatDialect } from "../../../lib/dialects/openai/mod.ts";
import { CHAT_FEATURES } from "../../../lib/dialects/presets.ts";
import type { Preset } from "../../../lib/config/presets.ts";
import { toContext } from "../../properties/families.ts";
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
  "nothing asked, nothing said": { asked: {}, said: {} },
  "a budget is a budget": { asked: budget(2000), said: { reasoning: { max_tokens: 2000 } } },
  "of a budget and an effort one can be said": {
    asked: { ...budget(2000), ...effort("low") },
    said: { reasoning: { max_tokens: 2000 } },
    lost: ["output_config.effort;dropped"],
  },
  "a budget leaves room for the answer": {
    asked: budget(9000),
    facts: { maxOutput: 5000 },
    said: { reasoning: { max_tokens: 4000 } },
    lost: ["max_tokens;approximated", "thinking.budget_tokens;approximated"],
  },
  "no budget is smaller than the least": {
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
  "where there are no budgets an effort counts": {
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
  "of two that are equally near the lesser one is asked for": {
    asked: effort("medium"),
    facts: mandatory,
    said: { reasoning: { effort: "low" } },
    lost: ["output_config.effort;approximated"],
  },
  "an effort of a later day is nothing": {
    asked: { ...adaptive, ...effort("later") },
    said: { reasoning: { enabled: true } },
    lost: ["output_config.effort;dropped"],
  },
  "adaptive thinking is thinking": { asked: adaptive, said: { reasoning: { enabled: true } } },
  "thinking between tools is thinking": {
    asked: { thinking: { type: "between_tools" }, ...effort("high") },
    said: { reasoning: { effort: "high" } },
    lost: ["thinking;approximated"],
  },
  "thinking of a later day is not understood": {
    asked: { thinking: { type: "later" } },
    said: {},
    lost: ["thinking;dropped"],
  },
  "no thinking is none": { asked: disabled, said: { reasoning: { enabled: false } } },
  "no thinking has no effort": {
    asked: { ...disabled, ...effort("max") },
    said: { reasoning: { enabled: false } },
    lost: ["output_config.effort;dropped"],
  },
  "a model that must think is asked for the least": {
    asked: disabled,
    facts: mandatory,
    said: { reasoning: { effort: "low" } },
    lost: ["thinking;approximated"],
  },
  "a model that must think, of which no more is known, is asked for little": {
    asked: disabled,
    facts: thinks({ mandatory: true }),
    said: { reasoning: { effort: "low" } },
    lost: ["thinking;approximated"],
  },
  "a model that must think is not asked for no effort": {
    asked: effort("none"),
    facts: thinks({ mandatory: true, efforts: ["none", "medium"] }),
    said: { reasoning: { effort: "medium" } },
    lost: ["output_config.effort;approximated"],
  },
  "a model that does not think is not asked to": {
    asked: { ...adaptive, ...effort("high") },
    facts: { parameters: new Set(["max_tokens"]) },
    said: {},
    lost: ["thinking;dropped", "output_config.effort;dropped"],
  },
  "a model that does not think need not be told": {
    asked: disabled,
    facts: { parameters: new Set(["max_tokens"]) },
    said: {},
  },
  "a model that lists reasoning is asked": {
    asked: adaptive,
    facts: { parameters: new Set(["reasoning"]) },
    said: { reasoning: { enabled: true } },
  },
  "the last of several efforts counts": {
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
  "a host may know efforts alone": {
    asked: { ...adaptive, ...effort("medium") },
    preset: "openai",
    said: { reasoning_effort: "medium" },
  },
  "a host that knows three efforts is told one of them": {
    asked: { ...adaptive, ...effort("max") },
    preset: "groq",
    said: { reasoning_effort: "high" },
    lost: ["output_config.effort;approximated"],
  },
  "a budget is an effort where the host knows nothing else": {
    asked: budget(5000),
    preset: "gemini",
    said: { reasoning_effort: "medium" },
    lost: ["thinking.budget_tokens;approximated"],
  },
  "a host that knows efforts alone cannot be told to think": {
    asked: adaptive,
    preset: "openai",
    said: {},
    lost: ["thinking;dropped"],
  },
  "a host that knows efforts alone is not told of none where none may be refused": {
    asked: disabled,
    preset: "openai",
    said: {},
    lost: ["thinking;dropped"],
  },
  "a host that knows efforts alone is told of none where the model has it": {
    asked: disabled,
    preset: "openai",
    facts: thinks({ efforts: ["none", "low"] }),
    said: { reasoning_effort: "none" },
  },
  "a host that switches thinking is told to, and how much": {
    asked: { ...adaptive, ...effort("max") },
    preset: "deepseek",
    said: { thinking: { type: "enabled" }, reasoning_effort: "max" },
  },
  "a host that switches thinking is told to": {
    asked: adaptive,
    preset: "deepseek",
    said: { thinking: { type: "enabled" } },
  },
  "a budget is an effort where thinking is switched": {
    asked: budget(2000),
    preset: "deepseek",
    said: { thinking: { type: "enabled" }, reasoning_effort: "low" },
    lost: ["thinking.budget_tokens;approximated"],
  },
  "a host that switches thinking is told not to": {
    asked: disabled,
    preset: "deepseek",
    said: { thinking: { type: "disabled" } },
  },
  "a host that knows no words for thinking may think unasked": {
    asked: disabled,
    preset: "mistral",
    said: {},
    lost: ["thinking;dropped"],
  },
  "a host that knows no words for thinking is told nothing": {
    asked: { ...budget(5000), ...effort("low") },
    preset: "mistral",
    said: {},
    lost: ["thinking;dropped", "output_config.effort;dropped"],
  },
};

for (const [name, { asked, preset = "openrouter", facts = {}, said, lost = [] }] of Object.entries(CASES)) {
  test(`toReasoning(): ${name}`, () => {
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
