import { dataLines, JSON_TYPE, type OddAnswer } from "./odd_answer.ts";

const START = {
  type: "message_start",
  message: { id: "msg_1", role: "assistant", content: [], usage: { input_tokens: 10, output_tokens: 1 } },
};
const begin = (content_block: object, index: unknown = 0) => ({
  type: "content_block_start",
  index,
  content_block,
});
const delta = (fields: object, index: unknown = 0) => ({ type: "content_block_delta", index, delta: fields });
const stop = (index: unknown = 0) => ({ type: "content_block_stop", index });
const end = (stop_reason: unknown) => ({
  type: "message_delta",
  delta: { stop_reason },
  usage: { output_tokens: 5 },
});
const LAST = { type: "message_stop" };
const TEXT = begin({ type: "text", text: "" });
const HI = delta({ type: "text_delta", text: "Hi" });
const READ = begin({ type: "tool_use", id: "a", name: "Read", input: {} });
const input = (partial_json: unknown) => delta({ type: "input_json_delta", partial_json });

/** Unusual answers of hosts that imitate Anthropic's API. */
export const NATIVE_ANSWERS: readonly OddAnswer[] = [
  {
    name: "an error beside the last delta",
    body: dataLines(START, TEXT, HI, stop(), {
      ...end(null),
      error: { type: "overloaded_error", message: "busy" },
    }, LAST),
    error: ["overloaded_error", /busy/],
  },
  {
    name: "the same start twice",
    body: dataLines(START, START, TEXT, HI, stop(), end("end_turn"), LAST),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "indexes that are texts",
    body: dataLines(
      START,
      begin({ type: "text", text: "" }, "0"),
      delta({ type: "text_delta", text: "Hi" }, "0"),
      stop("0"),
      end("stop"),
      LAST,
    ),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "a failure as the stop reason",
    body: dataLines(START, TEXT, HI, stop(), end("network_error"), LAST),
    error: ["overloaded_error", /network_error/],
  },
  { name: "no stop reason and no content", body: dataLines(START, end(null), LAST), error: ["api_error"] },
  {
    name: "tool use without a call",
    body: dataLines(START, end("tool_use"), LAST),
    error: ["api_error", /has none/],
  },
  {
    name: "an image",
    body: dataLines(
      START,
      begin({ type: "image", source: { type: "base64", data: "AAAA" } }),
      stop(),
      end("end_turn"),
      LAST,
    ),
    stop: "end_turn",
    text: /a part of type "image"/,
  },
  {
    name: "content that is a text",
    body: JSON.stringify({ type: "message", role: "assistant", content: "Hi", stop_reason: "end_turn" }),
    contentType: JSON_TYPE,
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "a chat completion",
    body: '{"choices":[{"message":{"content":"Hi"}}]}',
    contentType: JSON_TYPE,
    error: ["api_error"],
  },
  {
    name: "chunks of a chat completion",
    body: dataLines({ choices: [{ delta: { content: "Hi" } }] }, "data: [DONE]\n\n"),
    error: ["api_error"],
  },
  {
    name: "arguments that are an object",
    body: dataLines(START, READ, input({ path: "a" }), stop(), end("tool_use"), LAST),
    stop: "tool_use",
    calls: [["Read", { path: "a" }]],
  },
  {
    name: "arguments that are cut",
    body: dataLines(START, READ, input('{"path":"a'), stop(), end("end_turn"), LAST),
    error: ["api_error", /not one JSON object/],
  },
  {
    name: "a delta without a block",
    body: dataLines(START, HI, end("end_turn"), LAST),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "an error that is a text",
    body: dataLines(START, { type: "error", error: "boom" }),
    error: ["api_error", /boom/],
  },
  {
    name: "an error in a whole answer",
    body: '{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}',
    contentType: JSON_TYPE,
    error: ["rate_limit_error", /slow/],
  },
  {
    name: "a call without a name",
    body: dataLines(
      START,
      begin({ type: "tool_use", id: "a", input: { path: "a" } }),
      stop(),
      end("tool_use"),
      LAST,
    ),
    error: ["api_error", /no tool name/],
  },
  {
    name: "a block after the last delta",
    body: dataLines(
      START,
      TEXT,
      HI,
      stop(),
      end("end_turn"),
      begin({ type: "text", text: " there" }, 1),
      stop(1),
      LAST,
    ),
    stop: "end_turn",
    text: "Hi there",
  },
];
