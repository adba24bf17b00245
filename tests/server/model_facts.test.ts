import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { dig, type Json, objects } from "../kit/json.ts";
import { FakeUpstream } from "../kit/upstream.ts";

/** An entry as OpenRouter lists it. */
const TALKER = {
  id: "acme/talker-1",
  created: 1_790_000_000,
  architecture: { input_modalities: ["text", "image"] },
  supported_parameters: ["tools", "tool_choice", "structured_outputs", "reasoning", "include_reasoning"],
  reasoning: { mandatory: true, supported_efforts: ["high", "low"] },
};
const ENDING = { id: "acme/ending-1", expiration_date: "2026-12-31" };
const CLAUDE = {
  id: "anthropic/claude-sonnet-5.5",
  architecture: { input_modalities: ["text", "image", "file"] },
  supported_parameters: ["tools", "reasoning"],
  reasoning: { mandatory: false, supported_efforts: null },
};
const PLAIN = { id: "acme/plain-1", supported_parameters: ["temperature"] };
const UNKNOWN = { id: "acme/unknown-1" };

/** Entries as Anthropic lists them. */
const OLD = {
  type: "model",
  id: "claude-opus-4-1",
  display_name: "Claude Opus 4.1",
  created_at: "2025-08-05T00:00:00Z",
  lifecycle: "deprecated",
  deprecated_at: "2026-06-01T00:00:00Z",
  retires_at: "2027-01-31T00:00:00Z",
  line: "opus",
  max_input_tokens: 200_000,
  max_tokens: 32_000,
  capabilities: { batch: { supported: true }, later: { supported: true } },
};
const GONE = { ...OLD, id: "claude-2", lifecycle: "retired", line: null, capabilities: null };
const NEW = { ...OLD, id: "claude-opus-5-5", lifecycle: "active", deprecated_at: null, retires_at: null };

const HEADERS = { "anthropic-version": "2023-06-01" };
const ANTHROPIC: Settings = { OPENROUTER_BASE_URL: "https://api.anthropic.com/v1" };

async function list(
  listed: Json[],
  { query = "?limit=1000", settings = {}, headers = HEADERS }: {
    query?: string;
    settings?: Settings;
    headers?: Record<string, string>;
  } = {},
): Promise<Json[]> {
  const upstream = new FakeUpstream({}, { models: JSON.stringify({ data: listed }) });
  const gateway = createTestGateway({ upstream, settings });
  const all = objects(dig(await (await gateway.get(`/v1/models${query}`, headers)).json(), "data"));
  return all.filter(({ id }) => listed.some((entry) => entry.id === id) || id === "mine");
}

test("GET /v1/models returns Anthropic's facts of its models", async () => {
  assert.deepEqual(await list([OLD, NEW], { settings: ANTHROPIC }), [OLD, NEW]);
  const [openAi] = await list([OLD], { settings: ANTHROPIC, headers: {} });
  assert.equal(openAi?.created, Date.parse(OLD.created_at) / 1000);
});

test("GET /v1/models returns the time at which OpenRouter may remove a model", async () => {
  const [ending, talker] = await list([ENDING, TALKER]);
  assert.deepEqual([ending?.lifecycle, ending?.retires_at], ["deprecated", "2026-12-31T00:00:00Z"]);
  assert.deepEqual([talker?.lifecycle, talker?.retires_at], ["active", null]);
  assert.equal(talker?.created_at, "2026-09-21T14:13:20Z");
});

const no = { supported: false };
const yes = { supported: true };

test("GET /v1/models fills capabilities from OpenRouter's list", async () => {
  const [talker, claude, plain, unknown] = await list([TALKER, CLAUDE, PLAIN, UNKNOWN]);
  assert.deepEqual(talker?.capabilities, {
    batch: no,
    citations: no,
    code_execution: no,
    context_management: {
      supported: false,
      clear_thinking_20251015: no,
      clear_tool_uses_20250919: no,
      compact_20260112: no,
    },
    effort: { supported: true, low: yes, medium: no, high: yes, xhigh: no, max: no },
    image_input: yes,
    pdf_input: no,
    server_tools: { supported: true, code_execution: no, web_search: yes },
    structured_outputs: yes,
    thinking: { supported: true, types: { adaptive: yes, between_tools: yes, disabled: no, enabled: yes } },
  });
  assert.deepEqual(dig(claude, "capabilities", "pdf_input"), yes);
  assert.deepEqual(dig(claude, "capabilities", "citations"), yes);
  assert.deepEqual(dig(claude, "capabilities", "effort", "max"), yes);
  assert.deepEqual(dig(claude, "capabilities", "thinking", "types", "disabled"), yes);
  assert.deepEqual(dig(plain, "capabilities", "thinking", "supported"), false);
  assert.deepEqual(dig(plain, "capabilities", "effort", "supported"), false);
  assert.equal(unknown?.capabilities, null);
});

test("GET /v1/models returns the facts of its model for an alias", async () => {
  const settings = { MODEL_MAP: { mine: CLAUDE.id } };
  const [alias, model] = await list([CLAUDE], { settings });
  assert.equal(alias?.id, "mine");
  for (const field of ["line", "capabilities", "lifecycle", "created_at"]) {
    assert.deepEqual(alias?.[field], model?.[field], field);
  }
});

const FILTERS: [query: string, ids: string[]][] = [
  ["", ["claude-opus-4-1", "claude-opus-5-5"]],
  ["&lifecycle[]=active", ["claude-opus-5-5"]],
  ["&lifecycle%5B%5D=deprecated", ["claude-opus-4-1"]],
  ["&lifecycle[]=retired", ["claude-2"]],
  ["&lifecycle[]=active&lifecycle[]=retired", ["claude-2", "claude-opus-5-5"]],
  ["&lifecycle=active", ["claude-opus-5-5"]],
  ["&lifecycle[]=later", []],
  ["&after_id=claude-opus-4-1", ["claude-opus-5-5"]],
];

for (const [query, ids] of FILTERS) {
  test(`GET /v1/models filters by lifecycle: "${query}"`, async () => {
    const models = await list([GONE, OLD, NEW], { settings: ANTHROPIC, query: `?limit=1000${query}` });
    assert.deepEqual(models.map(({ id }) => id), ids);
  });
}

test("GET /v1/models treats fields of another type as unknown", async () => {
  const odd = {
    id: "acme/odd-1",
    lifecycle: "asleep",
    deprecated_at: 7,
    retires_at: "someday",
    expiration_date: { year: 2027 },
    line: ["opus"],
    capabilities: "all",
    created_at: "yesterday",
    created: 1_790_000_000,
  };
  const [model] = await list([odd]);
  assert.deepEqual(model, {
    type: "model",
    id: odd.id,
    display_name: odd.id,
    created_at: "2026-09-21T14:13:20Z",
    max_input_tokens: null,
    max_tokens: null,
    lifecycle: "active",
    deprecated_at: null,
    retires_at: null,
    line: null,
    capabilities: null,
  });
});
