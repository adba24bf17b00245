import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCountTokensRequest } from "../../lib/anthropic/parse.ts";
import { estimateTokens } from "../../lib/tokens/estimate.ts";
import { isRepresentative } from "../../lib/tokens/representative.ts";
import { countByLength, countByRuns } from "../../lib/tokens/text.ts";

const MODEL = "claude-haiku-4-5";
const USER = { role: "user", content: "How many bees are there?" };
const TOOL = { name: "count_bees", description: "Counts.", input_schema: { type: "object", properties: {} } };

function estimate(fields: object): number {
  return estimateTokens(parseCountTokensRequest({ model: MODEL, messages: [USER], ...fields }), countByRuns);
}

function cost(fields: object): number {
  return estimate(fields) - estimate({});
}

test("countByRuns() counts runs of one kind and starts a word at a capital", () => {
  const cases: [text: string, tokens: number][] = [
    ["", 0],
    ["bees", 1],
    ["Bees and bees", 3],
    ["countBees", 2],
    ["countBEES", 2],
    ["BEES", 1],
    ["Bees", 1],
    ["12345678", 3],
    ["a\n\nb", 3],
    ["  x", 2],
    ["蜜蜂", 3],
    ["été", 3],
    ["{}", 2],
  ];
  for (const [text, tokens] of cases) assert.equal(countByRuns(text), tokens, JSON.stringify(text));
});

test("countByLength() depends on the length only", () => {
  assert.deepEqual(["", "a", "abcdefg", "abcdefgh"].map(countByLength), [0, 1, 2, 3]);
});

test("estimateTokens() counts thinking of the current turn only", () => {
  const thought = { type: "thinking", thinking: "The hive is large. ".repeat(50), signature: "s" };
  const sealed = { type: "redacted_thinking", data: "x".repeat(4000) };
  const call = { type: "tool_use", id: "toolu_1", name: "count_bees", input: {} };
  const result = { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "9" }] };
  const countAnswer = (content: object[], ...more: object[]) =>
    estimate({ messages: [USER, { role: "assistant", content }, ...more] });
  assert.ok(countAnswer([thought, sealed, call], result) > countAnswer([call], result) + 500);
  assert.equal(countAnswer([thought, sealed, call], result, USER), countAnswer([call], result, USER));
  const mixed = { role: "user", content: [...result.content, { type: "text", text: "Go on." }] };
  assert.equal(countAnswer([thought, call], mixed), countAnswer([call], mixed));
});

test("estimateTokens() counts the text of loaded tools and their instructions", () => {
  const once = cost({ tools: [TOOL] });
  assert.ok(once > 490 && once < 550, String(once));
  const twice = cost({ tools: [TOOL, { ...TOOL, name: "count_hives" }] });
  assert.ok(twice - once > 10 && twice - once < 60, "the instructions come once");
  assert.ok(cost({ tools: [TOOL], tool_choice: { type: "any" } }) > once);
  assert.equal(cost({ tools: [TOOL], tool_choice: { type: "auto" } }), once);
  assert.equal(cost({ tools: [] }), 0);
  const deferred = { ...TOOL, defer_loading: true };
  const search = { ...TOOL, name: "ToolSearch" };
  assert.equal(cost({ tools: [search, deferred] }), cost({ tools: [search] }), "the search has not found it");
  assert.equal(cost({ tools: [deferred] }), once, "no search can find it, so it is sent");
  const refers = (
    content: object,
  ) => [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content }] }];
  const reference = [{ type: "tool_reference", tool_name: "count_bees" }];
  assert.equal(
    estimate({ tools: [deferred], messages: refers(reference) }),
    estimate({ tools: [TOOL], messages: refers(reference) }),
  );
});

test("estimateTokens() counts the hidden definitions of Anthropic's tools", () => {
  for (
    const [type, least] of [["memory_20250818", 1500], ["computer_20250124", 1700], ["future_2030", 1000]]
  ) {
    assert.ok(cost({ tools: [{ type, name: "x" }] }) > Number(least), String(type));
  }
});

test("estimateTokens() counts Claude's instructions for thinking and for output formats", () => {
  const thinking = { type: "enabled", budget_tokens: 1024 };
  assert.equal(cost({ thinking }), 29);
  assert.equal(cost({ thinking: { type: "disabled" } }), 0);
  assert.equal(cost({ model: "openai/gpt-5", thinking }), estimate({ model: "openai/gpt-5" }) - estimate({}));
  const format = { type: "json_schema", schema: { type: "object" } };
  assert.ok(cost({ output_config: { format } }) > 110);
  assert.equal(cost({ output_config: { format } }), cost({ output_format: format }));
});

test("estimateTokens() counts images and files by their content at every place", () => {
  const picture = { type: "image", source: { type: "url", url: "https://example.com/bee.png" } };
  const data = btoa("<< /Count 3 >>");
  const pdf = { type: "document", source: { type: "base64", media_type: "application/pdf", data } };
  const text = { type: "document", title: "Bees", source: { type: "text", data: "word ".repeat(1000) } };
  const at = (block: object) => estimate({ messages: [{ role: "user", content: [block] }] });
  const within = (block: object) => at({ type: "tool_result", tool_use_id: "t", content: [block] });
  for (const [block, tokens] of [[picture, 1600], [pdf, 6000], [text, 1001]] as const) {
    assert.equal(at(block), tokens + 7);
    assert.equal(within(block), tokens + 7);
  }
  const source = { type: "content", content: [{ type: "text", text: "bees" }, picture] };
  assert.equal(at({ type: "document", source }), 1601 + 7);
});

test("estimateTokens() depends on the model family, not on the host", () => {
  const hello = (model: string) => estimate({ model });
  assert.equal(hello("anthropic/claude-haiku-4.5"), hello("claude-haiku-4-5-20251001"));
  assert.equal(hello("openrouter/anthropic/claude-sonnet-4"), hello("claude-sonnet-4-20250514"));
  assert.ok(hello("claude-opus-4-8") > hello("claude-opus-4-6"));
  assert.ok(hello("claude-opus-5-5") > hello("claude-opus-4-6"));
  assert.ok(hello("x-ai/grok-4") > hello("acme/talker-1") + 100);
  const tools = (model: string) => estimate({ model, tools: [TOOL] }) - hello(model);
  assert.ok(tools("claude-sonnet-4") < tools("claude-sonnet-4-5"));
  assert.ok(tools("openai/gpt-5.4-nano") < 40);
});

test("isRepresentative() rejects requests that are useless for learning", () => {
  const sentences = "The bees came home late. ".repeat(100);
  const representative = (fields: object) => {
    const messages = [{ role: "user", content: sentences }];
    const request = parseCountTokensRequest({ model: MODEL, messages, ...fields });
    return isRepresentative(request, estimateTokens(request, countByRuns));
  };
  const picture = { type: "image", source: { type: "url", url: "https://example.com/bee.png" } };
  const text = { type: "text", text: sentences };
  assert.equal(representative({}), true);
  assert.equal(representative({ tools: [TOOL, { type: "bash_20250124", name: "bash" }] }), true);
  assert.equal(representative({ messages: [USER] }), false);
  assert.equal(representative({ messages: [{ role: "user", content: [text, picture] }] }), false);
  assert.equal(
    representative({ messages: [{ role: "user", content: [...Array(20).fill(text), picture] }] }),
    true,
  );
  assert.equal(representative({ tools: [{ type: "web_search_20250305", name: "web_search" }] }), false);
  assert.equal(
    representative({ mcp_servers: [{ type: "url", url: "https://example.com", name: "x" }] }),
    false,
  );
});
