import assert from "node:assert/strict";
import { test } from "node:test";
import { collectMessage } from "../../lib/anthropic/collect.ts";
import type { MessagesRequest } from "../../lib/anthropic/schema.ts";
import { toToolSearch } from "../../lib/server_tools/tool_search.ts";
import { call, createScript, end, runScript, toRoute, type WriteTurn } from "./scripted_model.ts";

const weather = {
  name: "get_weather",
  description: "Tells the weather of a place.",
  input_schema: {
    type: "object" as const,
    properties: { city: { type: "string", description: "Its name" } },
  },
  defer_loading: true,
};
const stocks = {
  name: "lookUpStocks",
  description: "Tells prices of shares.",
  input_schema: { type: "object" as const, properties: { ticker: { type: "string" } } },
  defer_loading: true,
};
const clock = { name: "clock", input_schema: { type: "object" as const } };
const deferred = () => [weather, stocks];

const REGEX = { type: "tool_search_tool_regex_20251119", name: "tool_search_tool_regex" };
const BM25 = { type: "tool_search_tool_bm25", name: "tool_search_tool_bm25" };

async function search(tool: typeof REGEX, input: { [field: string]: unknown }) {
  const { block } = await toToolSearch(tool, "tools.0", deferred).run({ id: "srvtoolu_1", input }, []);
  assert.equal(block.type, "tool_search_tool_result");
  return block.content;
}

const found = (...names: string[]) => ({
  type: "tool_search_tool_search_result",
  tool_references: names.map((tool_name) => ({ type: "tool_reference", tool_name })),
});
const failed = (error_message: string) => ({
  type: "tool_search_tool_result_error",
  error_code: "invalid_tool_input",
  error_message,
});

test("toToolSearch() matches a pattern with names, descriptions and parameters, case-insensitively", async () => {
  const cases: [string, unknown][] = [
    ["WEATHER", found("get_weather")],
    ["ticker|city", found("get_weather", "lookUpStocks")],
    ["^get_", found("get_weather")],
    ["its name", found("get_weather")],
    ["bees", found()],
    [
      "(",
      failed(
        "pattern: not a valid regular expression; look-around and back-references are not supported",
      ),
    ],
    ["", failed("pattern: expected a regular expression")],
    ["x".repeat(201), failed("pattern: expected at most 200 characters")],
    ["(a+)+$", found()],
  ];
  for (const [pattern, expected] of cases) {
    assert.deepEqual(await search(REGEX, { pattern }), expected, pattern);
  }
  assert.deepEqual(await search(REGEX, { pattern: ".", limit: 1 }), found("get_weather"));
});

test("toToolSearch() ranks tools by the terms of a query", async () => {
  assert.deepEqual(await search(BM25, { query: "stocks" }), found("lookUpStocks"));
  assert.deepEqual(await search(BM25, { query: "weather in a city" }), found("get_weather"));
  assert.deepEqual(await search(BM25, { query: " " }), failed("query: expected some words"));
  assert.deepEqual(
    await search(BM25, { query: "x".repeat(501) }),
    failed("query: expected at most 500 characters"),
  );
});

test("toToolSearch() limits the cost of a pattern and the searches of a message", async () => {
  const huge = { ...weather, name: "huge", description: `${"a b c ".repeat(10_000)}zebra` };
  const tool = toToolSearch(REGEX, "tools.0", () => [huge]);
  const find = async (pattern: string) =>
    (await tool.run({ id: "srvtoolu_1", input: { pattern } }, [])).block.content;
  assert.deepEqual(await find("zebra"), found("huge"));
  assert.deepEqual(await find("(.{1,30}){30}zebra"), found());
  for (let nth = 3; nth <= 16; nth++) assert.deepEqual(await find("huge"), found("huge"));
  assert.deepEqual(await find("huge"), {
    ...failed("at most 16 searches per message"),
    error_code: "too_many_requests",
  });
});

test("toToolSearch() returns a tool that is declared twice once", async () => {
  const tool = toToolSearch(BM25, "tools.0", () => [weather, weather]);
  const { block } = await tool.run({ id: "srvtoolu_1", input: { query: "weather" } }, []);
  assert.deepEqual(block.content, found("get_weather"));
});

const searches: WriteTurn = (writer) => {
  call(writer, "toolu_1", "tool_search_tool_regex", { pattern: "weather" });
  end(writer, "tool_use");
};
const callsWeather: WriteTurn = (writer) => {
  call(writer, "toolu_2", "get_weather", { city: "Bern" });
  end(writer, "tool_use");
};

test("runTurns() offers the tools that a search has found to a model without tool search", async () => {
  const script = createScript(searches, callsWeather);
  const tools = [REGEX, clock, weather, stocks];
  const message = await collectMessage(runScript(script, { tools }, { toolbox: undefined }));
  assert.deepEqual(message.content, [
    {
      type: "server_tool_use",
      id: "srvtoolu_1",
      name: "tool_search_tool_regex",
      input: { pattern: "weather" },
    },
    { type: "tool_search_tool_result", tool_use_id: "srvtoolu_1", content: found("get_weather") },
    { type: "tool_use", id: "toolu_2", name: "get_weather", input: { city: "Bern" } },
  ]);
  assert.equal(message.stop_reason, "tool_use");
  const offered = script.requests.map((request) => request.tools?.map(({ name }) => name));
  assert.deepEqual(offered, [
    ["tool_search_tool_regex", "clock"],
    ["tool_search_tool_regex", "clock", "get_weather"],
  ]);
  assert.equal(script.requests[1]?.tools?.[2]?.defer_loading, undefined);
  const result = script.requests[1]?.messages.at(-1)?.content;
  assert.ok(Array.isArray(result));
  assert.equal(result[0]?.content, "Tools that can be called now: get_weather");
});

test("runTurns() keeps found tools when the conversation is sent back", async () => {
  const first = createScript(searches, callsWeather);
  const tools = [REGEX, clock, weather, stocks];
  const { content } = await collectMessage(runScript(first, { tools }, { toolbox: undefined }));
  const messages: MessagesRequest["messages"] = [
    { role: "user", content: "Go" },
    { role: "assistant", content: JSON.parse(JSON.stringify(content)) },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_2", content: "rain" }] },
  ];
  const second = createScript((writer) => {
    writer.text("It rains.");
    end(writer, "end_turn");
  });
  await collectMessage(runScript(second, { tools, messages }, { toolbox: undefined }));
  assert.deepEqual(second.requests[0]?.tools?.map(({ name }) => name), [
    "tool_search_tool_regex",
    "clock",
    "get_weather",
  ]);
});

test("runTurns() forwards tool search to an upstream that supports it", async () => {
  const script = createScript((writer) => {
    writer.text("Hello.");
    end(writer, "end_turn");
  });
  const tools = [REGEX, clock, weather];
  await collectMessage(runScript(script, { tools }, { toolbox: undefined, route: toRoute("anthropic") }));
  assert.deepEqual(script.requests[0]?.tools, tools);
});
