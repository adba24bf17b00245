import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessagesRequest } from "../../../lib/anthropic/parse.ts";
import { isObject, type JsonObject } from "../../../lib/base/json.ts";
import type { HostName } from "../../../lib/config/presets.ts";
import type { Adjustment } from "../../../lib/dialects/adjustments/adjustment.ts";
import { LossReport } from "../../../lib/dialects/loss.ts";
import { type Dialect, dialectFor } from "../../../lib/dialects/mod.ts";
import { seal } from "../../../lib/dialects/sealed.ts";
import { prepareTurn } from "../../../lib/turns/prepare_turn.ts";
import { withRouteOptions } from "../../../lib/turns/route_options.ts";
import { parseConfig } from "../../../lib/config/parse.ts";

type Change = Adjustment["change"];
type Name = Dialect["name"];
/** Reason why an adjustment changes nothing in a dialect. */
type NotApplicable = string;

/** An adjustment, the body or headers that it must change, and the dialects in which it has no meaning. */
interface Row {
  adjustment: Adjustment | Record<Name, Adjustment>;
  /** Host whose preset the adjustment is for. Default: an unknown host. */
  host?: HostName;
  /** Fields beside those of the request below. */
  fields?: JsonObject;
  not?: Partial<Record<Name, NotApplicable>>;
}

const NO_REASONING_FIELD = "reasoning returns in items or blocks of its own, not in a field of messages";

/** One row for each change; the compiler rejects a missing one. */
const ROWS: Record<Change, Row> = {
  affordable_tokens: { adjustment: { change: "affordable_tokens", tokens: 500 } },
  cap_tokens: { adjustment: { change: "cap_tokens", tokens: 500 } },
  exclude_provider: { adjustment: { change: "exclude_provider", provider: "Azure" }, host: "openrouter" },
  drop_earlier_thinking: { adjustment: { change: "drop_earlier_thinking" } },
  drop_reasoning_fields: { adjustment: { change: "drop_reasoning_fields" } },
  return_reasoning: {
    adjustment: { change: "return_reasoning" },
    not: { anthropic: NO_REASONING_FIELD, responses: NO_REASONING_FIELD },
  },
  drop_parameter: {
    adjustment: {
      openai: { change: "drop_parameter", parameter: "temperature" },
      anthropic: { change: "drop_parameter", parameter: "temperature" },
      responses: { change: "drop_parameter", parameter: "max_output_tokens" },
    },
  },
  rename_parameter: {
    adjustment: {
      openai: { change: "rename_parameter", parameter: "max_tokens", to: "max_completion_tokens" },
      anthropic: { change: "rename_parameter", parameter: "max_tokens", to: "max_completion_tokens" },
      responses: { change: "rename_parameter", parameter: "max_output_tokens", to: "max_tokens" },
    },
  },
  drop_field: {
    adjustment: {
      openai: { change: "drop_field", within: "messages", field: "tool_call_id" },
      anthropic: { change: "drop_field", within: "messages", field: "signature" },
      responses: { change: "drop_field", within: "messages", field: "detail" },
    },
  },
  drop_cache_control: { adjustment: { change: "drop_cache_control" }, host: "openrouter" },
  drop_betas: {
    adjustment: { change: "drop_betas" },
    not: {
      openai: "betas of Anthropic's API are never sent to other APIs",
      responses: "betas of Anthropic's API are never sent to other APIs",
    },
  },
  efforts: { adjustment: { change: "efforts", efforts: ["low"] }, host: "openai" },
  drop_thinking_options: { adjustment: { change: "drop_thinking_options" }, host: "openrouter" },
  always_thinks: {
    adjustment: { change: "always_thinks" },
    host: "openrouter",
    fields: { thinking: { type: "disabled" } },
  },
  adaptive_thinking: {
    adjustment: { change: "adaptive_thinking" },
    host: "openrouter",
    fields: { thinking: { type: "enabled", budget_tokens: 2000 }, output_config: { effort: "high" } },
  },
  budgeted_thinking: {
    adjustment: { change: "budgeted_thinking" },
    host: "openrouter",
    fields: { output_config: undefined },
  },
  blocks_as_text: { adjustment: { change: "blocks_as_text", type: "image" } },
  plain_text: { adjustment: { change: "plain_text" } },
  system_as_user: { adjustment: { change: "system_as_user", every: true } },
  alternate_roles: { adjustment: { change: "alternate_roles" } },
  tool_choice_auto: { adjustment: { change: "tool_choice_auto" }, host: "openai" },
  max_tools: { adjustment: { change: "max_tools", tools: 1 } },
  drop_strict: { adjustment: { change: "drop_strict" }, host: "openrouter" },
  drop_keyword: { adjustment: { change: "drop_keyword", keyword: "pattern" } },
  simple_schemas: { adjustment: { change: "simple_schemas" } },
  drop_response_format: { adjustment: { change: "drop_response_format" }, host: "openai" },
};

const IMAGE = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };
const FORMAT = { type: "object", properties: { bees: { type: "integer" } }, required: ["bees"] };

/** Creates a request with a part that each adjustment changes. */
function createRequest(origin: string, fields: JsonObject) {
  const thought = seal(origin, [
    { field: "responses", type: "reasoning", summary: [], encrypted_content: "secret" },
  ]);
  const chatThought = seal(origin, [{ type: "reasoning.text", text: "I think." }]);
  const tool = (name: string, strict: boolean) => ({
    name,
    description: "Counts bees",
    strict,
    input_schema: {
      type: "object",
      properties: { field: { type: "string", pattern: "^[a-z]+$" }, when: { type: ["string", "null"] } },
      required: ["field", "when"],
      additionalProperties: false,
    },
  });
  return parseMessagesRequest({
    model: "m",
    max_tokens: 8000,
    temperature: 0.5,
    system: [{ type: "text", text: "Be kind.", cache_control: { type: "ephemeral" } }],
    thinking: { type: "adaptive" },
    output_config: {
      effort: "high",
      format: { type: "json_schema", schema: { ...FORMAT, additionalProperties: false } },
    },
    tools: [tool("count", true), tool("open", false)],
    tool_choice: { type: "tool", name: "count" },
    messages: [
      { role: "user", content: [{ type: "text", text: "Look." }, IMAGE] },
      { role: "user", content: [{ type: "text", text: "How many" }, { type: "text", text: "bees?" }] },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "I think.", signature: chatThought },
          { type: "redacted_thinking", data: thought },
          { type: "thinking", thinking: "I am Claude.", signature: "EokHCmUIDxgCKkBX0fNi" },
          { type: "text", text: "I count." },
          { type: "tool_use", id: "call_1", name: "open", input: { field: "a", when: null } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_1", content: "7" },
          { type: "text", text: "Well?" },
        ],
      },
      { role: "assistant", content: "Seven." },
      { role: "system", content: "It is late." },
      { role: "user", content: "Thank you." },
    ],
    ...fields,
  });
}

/** Returns the request that an upstream receives with these adjustments. */
async function prepare(name: Name, { host = "other", fields = {} }: Row, adjustments: readonly Adjustment[]) {
  const config = parseConfig({ settings: { OPENROUTER_API_KEY: "key" } });
  const model = name === "anthropic" ? "claude-x" : "gpt-5.6-sol";
  const loss = new LossReport();
  const route = {
    key: "up/m",
    weight: 1,
    hasAlternatives: false,
    alias: "m",
    model,
    upstream: { name: "up", baseUrl: "https://up.test/v1", preset: host, dialectChoice: name },
    dialect: dialectFor(host, name, model),
    options: {},
    cacheControl: true,
    fallbacks: [],
    facts: {},
    adjustments,
  };
  const { body, betas } = await prepareTurn(
    {
      config,
      inputCounter: {
        estimate: () => 100,
        count: () => ({ tokens: 100 }),
        correctOutput: (tokens) => tokens,
        learn() {},
      },
      learned: { get: () => [], add() {}, list: () => [] },
      newId: (prefix) => `${prefix}1`,
    },
    createRequest(`up/${model}`, fields),
    { route, caller: { betas: "some-beta-2026", sessionId: undefined }, loss },
  );
  return { sent: JSON.stringify([withRouteOptions(body, route), betas]), body, loss };
}

function adjustmentFor({ adjustment }: Row, name: Name): Adjustment {
  return "change" in adjustment ? adjustment : adjustment[name];
}

const NAMES: readonly Name[] = ["openai", "anthropic", "responses"];

for (const [change, row] of Object.entries(ROWS)) {
  for (const name of NAMES) {
    const reason = row.not?.[name];
    const does = reason === undefined ? "changes the request" : `has no meaning (${reason})`;
    test(`the adjustment ${change} ${does} in the dialect ${name}`, async () => {
      const before = await prepare(name, row, []);
      const after = await prepare(name, row, [adjustmentFor(row, name)]);
      if (reason === undefined) assert.notEqual(after.sent, before.sent);
      else assert.equal(after.sent, before.sent);
    });
  }
}

for (const name of NAMES) {
  test(`drop_response_format describes the schema in a text or by a tool in the dialect ${name}`, async () => {
    const adjusted = await prepare(name, { adjustment: { change: "drop_response_format" } }, [{
      change: "drop_response_format",
    }]);
    const { body, loss } = adjusted;
    const format = isObject(body.output_config) ? body.output_config.format : body.text;
    assert.equal(body.response_format ?? format, undefined);
    assert.match(adjusted.sent, /bees[\\]{0,1}": ?[{]|\\"bees\\"|"bees"/);
    assert.match(loss.toHeader() ?? "", /output_config\.format;approximated/);
  });

  test(`system_as_user leaves no system message in the dialect ${name}`, async () => {
    const { body, sent } = await prepare(name, ROWS.system_as_user, [{
      change: "system_as_user",
      every: true,
    }]);
    assert.doesNotMatch(sent, /"role":"(system|developer)"/);
    assert.equal(body.system ?? body.instructions, undefined);
    assert.match(sent, /<system-reminder>\\nIt is late/);
    assert.match(sent, /Be kind/);
  });

  test(`alternate_roles separates a result from the user's text in the dialect ${name}`, async () => {
    const { sent } = await prepare(name, ROWS.alternate_roles, [{ change: "alternate_roles" }]);
    assert.match(sent, /"OK\."[^]*Well\?/);
  });
}

test("the effort for requests with tools is added in the field of the dialect", async () => {
  const adjustment = { change: "efforts", efforts: ["none"], besideTools: true } as const;
  const row: Row = { adjustment, fields: { thinking: undefined, output_config: undefined } };
  assert.equal((await prepare("openai", row, [adjustment])).body.reasoning_effort, "none");
  const { body } = await prepare("responses", row, [adjustment]);
  assert.deepEqual([body.reasoning, body.reasoning_effort], [{ effort: "none" }, undefined]);
});
