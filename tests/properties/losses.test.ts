import assert from "node:assert/strict";
import { test } from "node:test";
import { seal } from "../../lib/dialects/sealed.ts";
import type { Dialect, TurnContext } from "../../lib/dialects/mod.ts";
import { dialectFor } from "../kit/dialects.ts";
import { HOST_NAMES } from "../../lib/config/presets.ts";
import { toContext } from "./generators/families.ts";
import { findUnreportedLosses, translateRequest } from "./unreported_losses.ts";
import type { Wire } from "../kit/json.ts";
import { MODELS } from "../kit/requests/request.ts";

/** The hosts, each with the model of its requests, and settings of the turn. */
const HOSTS: [host: string, dialect: Dialect, model: string, settings?: Partial<TurnContext>][] = [
  ...HOST_NAMES.filter((name) => name !== "anthropic").map((name): [string, Dialect, string] => [
    name,
    dialectFor(name, "openai", "bee-1"),
    "bee-1",
  ]),
  ...HOST_NAMES.filter((name) => name !== "anthropic").map((name): [string, Dialect, string] => [
    `${name} in the Responses API`,
    dialectFor(name, "responses", "bee-1"),
    "bee-1",
  ]),
  ...["gpt-5.6-sol", "gpt-4.1"].map((model): [string, Dialect, string] => [
    `${model} in the Responses API`,
    dialectFor("openai", "responses", model),
    model,
  ]),
  ["Anthropic", dialectFor("anthropic", "auto", "claude-opus-5-5"), "claude-opus-5-5"],
  ["OpenRouter in Anthropic's language", dialectFor("openrouter", "anthropic", MODELS.native), MODELS.native],
  ["another in Anthropic's language", dialectFor("other", "anthropic", "bee-1"), "bee-1"],
  ["OpenRouter without its cache", dialectFor("openrouter", "openai", "bee-1"), "bee-1", {
    cacheControl: false,
  }],
  [
    "OpenRouter in Anthropic's language without its cache",
    dialectFor("openrouter", "anthropic", MODELS.native),
    MODELS.native,
    { cacheControl: false },
  ],
];

const cache_control = { type: "ephemeral", ttl: "1h" };
const png = { type: "base64", media_type: "image/png", data: "iVBO" };
const pdf = { type: "base64", media_type: "application/pdf", data: "JVBE" };

/** Creates a request with every field of Anthropic's API, every kind of block, and an unknown field in each object. */
function createRequest(model: string): Wire {
  const own = seal(model, [{ type: "reasoning.text", text: "Mine", format: "unknown" }]);
  return withUnknownFields({
    model: "m",
    max_tokens: 4000,
    stream: true,
    temperature: 0.7,
    top_p: 0.9,
    top_k: 5,
    stop_sequences: ["one", "two", "three", "four", "five"],
    metadata: { user_id: "u" },
    service_tier: "auto",
    speed: "fast",
    inference_geo: "eu",
    container: { id: "c", skills: [{ type: "anthropic", skill_id: "s" }] },
    diagnostics: { previous_message_id: "msg_0" },
    mcp_servers: [{ type: "url", url: "https://mcp.test", name: "files" }],
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    compaction: { type: "summarize", instructions: "Briefly" },
    fallbacks: [{ model: "claude-x" }],
    safeguards: [{ type: "dangerous_tool_use" }],
    fallback_credit_token: "t",
    cache_control,
    thinking: {
      type: "enabled",
      budget_tokens: 2000,
      display: "summarized",
      block_binding: { prefix_mismatch_behavior: "error" },
    },
    output_config: {
      effort: "high",
      format: { type: "json_schema", schema: { type: "object", properties: { a: { type: "string" } } } },
      task_budget: { type: "tokens", total: 100 },
    },
    system: [{ type: "text", text: "Be brief", cache_control }, { type: "text", text: "Be kind" }],
    tools: [
      {
        name: "read",
        description: "Reads",
        input_schema: {
          type: "object",
          properties: { path: { type: "string", format: "uri", exclusiveMinimum: 1 } },
        },
        strict: true,
        defer_loading: true,
        eager_input_streaming: true,
        input_examples: [{ path: "a" }],
        allowed_callers: ["code_execution_20260120"],
        cache_control,
      },
      { name: "a name that is no name", input_schema: { type: "object" } },
      { type: "bash_20250124", name: "bash", cache_control },
      { type: "text_editor_20250728", name: "str_replace_based_edit_tool", max_characters: 100 },
      { type: "computer_20251124", name: "computer", display_width_px: 10, display_height_px: 20 },
      { type: "memory_20250818", name: "memory" },
      { type: "web_search_20250305", name: "web_search", max_uses: 3 },
      { type: "mcp_toolset", mcp_server_name: "files" },
    ],
    tool_choice: { type: "tool", name: "read", disable_parallel_tool_use: true },
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "Hello", citations: [{ type: "char_location" }], cache_control },
          { type: "image", source: png, transformations: { oversized_image: "error" }, cache_control },
          { type: "image", source: { type: "url", url: "https://images.test/a.png" } },
          { type: "image", source: { type: "file", file_id: "f1" } },
          {
            type: "document",
            source: pdf,
            title: "T",
            context: "C",
            citations: { enabled: true },
            cache_control,
          },
          { type: "document", source: { type: "url", url: "https://files.test/a.pdf" }, title: "T" },
          {
            type: "document",
            source: { type: "text", media_type: "text/plain", data: "plain" },
            context: "C",
          },
          {
            type: "document",
            source: {
              type: "content",
              content: [{ type: "text", text: "inner", cache_control }, { type: "image", source: png }],
            },
            title: "T",
            cache_control,
          },
          { type: "document", source: { type: "file", file_id: "f2" } },
          {
            type: "search_result",
            source: "https://found.test",
            title: "Found",
            content: [{ type: "text", text: "words", cache_control }],
            citations: { enabled: true },
            cache_control,
          },
          { type: "container_upload", file_id: "f3" },
          { type: "block_of_a_later_day", text: "news" },
        ],
      },
      {
        role: "system",
        content: [{ type: "text", text: "From now on" }, { type: "tool_addition", tool: { name: "x" } }],
        output_config: { effort: "low" },
      },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Hm", signature: "EqQB" },
          { type: "thinking", thinking: "Mine", signature: own },
          { type: "redacted_thinking", data: "EmwK" },
          { type: "text", text: "I look", citations: [{ type: "char_location" }], cache_control },
          { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "bees" } },
          {
            type: "web_search_tool_result",
            tool_use_id: "srvtoolu_1",
            content: [{ type: "web_search_result", url: "https://bees.test", title: "Bees" }],
          },
          { type: "mcp_tool_use", id: "mcptoolu_1", name: "list", server_name: "files", input: {} },
          { type: "mcp_tool_result", tool_use_id: "mcptoolu_1", is_error: false, content: "a.txt" },
          { type: "compaction", content: "So far" },
          {
            type: "tool_use",
            id: "toolu_1",
            name: "read",
            input: { path: "a" },
            caller: { type: "code_execution_20260120", tool_id: "srvtoolu_2" },
            toolset_name: "files",
            cache_control,
          },
          { type: "tool_use", id: "toolu_2", name: "a name that is no name", input: {} },
          { type: "tool_use", id: "toolu_3", name: "bash", input: { command: "ls" } },
        ],
      },
      {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "toolu_1",
            is_error: true,
            toolset_name: "files",
            content: [
              { type: "text", text: "result", cache_control },
              { type: "image", source: png, cache_control },
              { type: "document", source: pdf, title: "T", cache_control },
              { type: "search_result", source: "https://found.test", title: "F", content: [] },
              { type: "tool_reference", tool_name: "read" },
              { type: "browser_state", url: "https://page.test" },
            ],
            cache_control,
          },
          { type: "tool_result", tool_use_id: "toolu_2", content: "plain" },
          { type: "tool_result", tool_use_id: "toolu_9", content: "of nobody" },
          { type: "text", text: "Go on" },
        ],
      },
    ],
  });
}

/** Adds an unknown field to each object, except where any field has a meaning: in schemas, inputs and examples. */
function withUnknownFields(value: Wire, at = ""): Wire {
  if (Array.isArray(value)) return value.map((item) => withUnknownFields(item, at));
  if (typeof value !== "object" || value === null) return value;
  if (/schema|input|cache_control|citations|task_budget|block_binding|tool$|edits|skills/.test(at)) {
    return value;
  }
  const fields = Object.entries(value).map(([key, item]) => [key, withUnknownFields(item, key)]);
  return { ...Object.fromEntries(fields), field_of_a_later_day: "news" };
}

for (const [host, dialect, model, settings] of HOSTS) {
  // The sealed value contains the thinking as well.
  const ignored = [/^messages\.2\.content\.1\./];
  const target = { dialect, toContext: () => ({ ...toContext(model), ...settings }), ignored };

  test(`Dialect.toBody() sends or reports as lost every part of a request (${host})`, () => {
    assert.deepEqual(findUnreportedLosses(createRequest(model), target), []);
  });

  test(`LossReport names paths of the request only (${host})`, () => {
    const request = createRequest(model);
    for (const [path] of translateRequest(request, target).loss.entries) {
      const found = path.split(".").reduce((inner, key) => inner?.[key], request);
      assert.notEqual(found, undefined, path);
    }
  });
}
