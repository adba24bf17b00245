import { DONE, writeDelta } from "../streams.ts";

/** A tool that the gateway runs: it searches the tools of the request. */
export const SEARCH = { type: "tool_search_tool_regex_20251119", name: "tool_search_tool_regex" };

/** A tool that the model receives only after a search. */
export const WEATHER = { name: "get_weather", defer_loading: true, input_schema: { type: "object" } };

const CALL = {
  index: 0,
  id: "call_1",
  type: "function",
  function: { name: SEARCH.name, arguments: '{"pattern":"weather"}' },
};

/** An answer of chat completions that calls {@linkcode SEARCH}: the call, then the end of the stream. */
export const SEARCHING: readonly string[] = [
  writeDelta({ tool_calls: [CALL] }),
  writeDelta({}, { finish_reason: "tool_calls" }) + DONE,
];
