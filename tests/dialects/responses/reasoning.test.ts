import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessagesRequest } from "../../../lib/anthropic/parse.ts";
import type { ModelFacts } from "../../../lib/dialects/mod.ts";
import { dialectFor } from "../../kit/dialects.ts";
import type { HostName } from "../../../lib/config/presets.ts";
import { toContext } from "../../properties/generators/families.ts";
import type { Wire } from "../../kit/json.ts";

interface Case {
  model: string;
  fields: Wire;
  host?: HostName;
  facts?: ModelFacts;
  /** The field `reasoning`. */
  reasoning?: Wire;
  lost?: string;
}

const high = { output_config: { effort: "high" } };
const max = { output_config: { effort: "max" } };
const adaptive = { thinking: { type: "adaptive" } };
const disabled = { thinking: { type: "disabled" } };
const budget = (budget_tokens: number) => ({ thinking: { type: "enabled", budget_tokens } });

const CASES: Case[] = [
  { model: "gpt-5.6-sol", fields: {} },
  { model: "gpt-5.6-sol", fields: max, reasoning: { effort: "max" } },
  { model: "gpt-5.6-sol", fields: adaptive, reasoning: { summary: "auto" } },
  { model: "gpt-5.6-sol", fields: { thinking: { type: "adaptive", display: "omitted" } } },
  { model: "gpt-5.6-sol", fields: disabled, reasoning: { effort: "none" } },
  {
    model: "gpt-5.6-sol",
    fields: { ...budget(8000), ...high },
    reasoning: { effort: "high", summary: "auto" },
    lost: "thinking.budget_tokens;approximated",
  },
  {
    model: "gpt-5.6-sol",
    fields: budget(1024),
    reasoning: { effort: "low", summary: "auto" },
    lost: "thinking.budget_tokens;approximated",
  },
  {
    model: "gpt-5.5-2026-04-23",
    fields: max,
    reasoning: { effort: "xhigh" },
    lost: "output_config.effort;approximated",
  },
  {
    model: "gpt-5.5-pro",
    fields: disabled,
    reasoning: { effort: "medium" },
    lost: "thinking;approximated",
  },
  { model: "gpt-5.4", fields: adaptive, reasoning: { effort: "medium", summary: "auto" } },
  { model: "gpt-5.4-nano-2026-03-17", fields: disabled, reasoning: { effort: "none" } },
  {
    model: "gpt-5.2-chat-latest",
    fields: high,
    reasoning: { effort: "medium" },
    lost: "output_config.effort;approximated",
  },
  {
    model: "gpt-5.1-codex",
    fields: disabled,
    reasoning: { effort: "low" },
    lost: "thinking;approximated",
  },
  { model: "gpt-5-mini", fields: disabled, reasoning: { effort: "minimal" }, lost: "thinking;approximated" },
  {
    model: "gpt-5-pro",
    fields: max,
    reasoning: { effort: "high" },
    lost: "output_config.effort;approximated",
  },
  { model: "o3-mini", fields: max, reasoning: { effort: "high" }, lost: "output_config.effort;approximated" },
  {
    model: "gpt-4.1",
    fields: { ...adaptive, ...high },
    lost: "thinking;dropped,output_config.effort;dropped",
  },
  { model: "gpt-4o", fields: disabled },
  { model: "gpt-5-chat-latest", fields: high, lost: "output_config.effort;dropped" },
  // Names of models at other hosts.
  { model: "openai/gpt-5.6-terra", host: "openrouter", fields: max, reasoning: { effort: "max" } },
  { model: "openai.gpt-5.5", host: "other", fields: disabled, reasoning: { effort: "none" } },
  {
    model: "z-ai/glm-5",
    host: "openrouter",
    fields: budget(2048),
    reasoning: { max_tokens: 2048, summary: "auto" },
  },
  {
    model: "x-ai/grok-5",
    host: "openrouter",
    facts: { reasoning: { efforts: ["low", "high"], mandatory: true, budget: false } },
    fields: disabled,
    reasoning: { effort: "low" },
    lost: "thinking;approximated",
  },
  { model: "bee-1", host: "other", fields: disabled, lost: "thinking;dropped" },
  {
    model: "bee-1",
    host: "other",
    fields: max,
    reasoning: { effort: "high" },
    lost: "output_config.effort;approximated",
  },
  {
    model: "bee-1",
    host: "openrouter",
    facts: { parameters: new Set(["tools"]) },
    fields: adaptive,
    lost: "thinking;dropped",
  },
];

for (const { model, host = "openai", facts = {}, fields, reasoning, lost } of CASES) {
  test(`toReasoning() sends ${model} of ${host} ${JSON.stringify(reasoning)} (${JSON.stringify(fields)})`, () => {
    const messages = [{ role: "user", content: "Hi" }];
    const request = parseMessagesRequest({ model: "m", max_tokens: 10_000, messages, ...fields });
    const context = { ...toContext(model), facts };
    const body = dialectFor(host, "responses", model).toBody(request, context);
    assert.deepEqual(body.reasoning, reasoning);
    assert.equal(context.loss.toHeader(), lost);
  });
}

const TEMPERATURE: [model: string, fields: Wire, isSent: boolean][] = [
  ["gpt-5.6-sol", {}, false],
  ["gpt-5.6-sol", disabled, true],
  ["gpt-5.4", {}, true],
  ["gpt-5.4", high, false],
  ["gpt-4.1", high, true],
  ["bee-1", high, true],
];

for (const [model, fields, isSent] of TEMPERATURE) {
  test(`toSampling() ${isSent ? "sends" : "drops"} the temperature for ${model} (${JSON.stringify(fields)})`, () => {
    const messages = [{ role: "user", content: "Hi" }];
    const request = parseMessagesRequest({
      model: "m",
      max_tokens: 99,
      messages,
      temperature: 0.5,
      ...fields,
    });
    const context = toContext(model);
    const body = dialectFor("openai", "responses", model).toBody(request, context);
    assert.equal(body.temperature, isSent ? 0.5 : undefined);
    assert.equal(context.loss.covers("temperature"), !isSent);
  });
}
