import { dataLines, JSON_TYPE, type OddAnswer } from "./odd_answer.ts";

const finish = (status: string, output: unknown, more: object = {}) => ({
  type: `response.${status}`,
  response: { status, output, ...more },
});
const HI = { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hi" };
const MESSAGE = { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi" }] };
const call = (fields: object) => ({ type: "function_call", call_id: "c", name: "Read", ...fields });

/** Unusual answers of hosts of the Responses API. */
export const RESPONSES_ANSWERS: readonly OddAnswer[] = [
  {
    name: "arguments that are an object",
    body: dataLines(finish("completed", [call({ arguments: { path: "a" } })])),
    stop: "tool_use",
    calls: [["Read", { path: "a" }]],
  },
  {
    name: "a call that was cut, in a response that says it is complete",
    body: dataLines(finish("completed", [call({ arguments: '{"path":"a', status: "incomplete" })])),
    stop: "max_tokens",
    calls: [["Read", {}]],
  },
  {
    name: "arguments that are cut",
    body: dataLines(finish("completed", [call({ arguments: '{"path":"a' })])),
    error: ["api_error", /not one JSON object/],
  },
  {
    name: "nothing but a call of the host's own tool",
    body: dataLines(finish("completed", [{ type: "custom_tool_call", name: "x", input: "bees" }])),
    stop: "end_turn",
    text: /custom_tool_call/,
  },
  {
    name: "nothing but a request for approval",
    body: dataLines(finish("completed", [{ type: "mcp_approval_request", name: "x" }])),
    stop: "end_turn",
    text: /mcp_approval_request/,
  },
  {
    name: "nothing but an image",
    body: dataLines(finish("completed", [{ type: "image_generation_call", result: "AAAA" }])),
    stop: "end_turn",
    text: /An image was generated/,
  },
  {
    name: "audio with its transcript",
    body: dataLines(
      finish("completed", [{ type: "message", content: [{ type: "output_audio", transcript: "Hi" }] }]),
    ),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "the text alone, without items",
    body: '{"status":"completed","output":[],"output_text":"Hi"}',
    contentType: JSON_TYPE,
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "an error under another name",
    body: dataLines(HI, { type: "response.error", error: { message: "gone" } }),
    error: ["api_error", /gone/],
  },
  {
    name: "a failure without an error",
    body: dataLines(HI, finish("failed", [], { error: null })),
    error: ["api_error", /failed/],
  },
  {
    name: "an empty error beside an answer",
    body: dataLines(HI, finish("completed", [MESSAGE], { error: { code: null } })),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "a limit that no table has",
    body: dataLines(finish("incomplete", [MESSAGE], { incomplete_details: { reason: "max_tool_calls" } })),
    stop: "max_tokens",
    text: "Hi",
    loss: /answer\.stop_reason/,
  },
  {
    name: "an end without a response",
    body: dataLines(HI, { type: "response.completed" }),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "an item longer than its deltas",
    body: dataLines(HI, {
      type: "response.output_item.done",
      output_index: 0,
      item: { type: "message", content: [{ type: "output_text", text: "Hi there" }] },
    }, finish("completed", [])),
    stop: "end_turn",
    text: "Hi there",
  },
  {
    name: "no end",
    body: dataLines(HI, { type: "response.output_item.done", output_index: 0, item: MESSAGE }),
    error: ["api_error"],
  },
  {
    name: "heartbeats without an end",
    body: dataLines(HI, ": hb\n\n"),
    ending: "open",
    error: ["timeout_error"],
  },
  {
    name: "reasoning alone",
    body: dataLines(
      finish("completed", [{ type: "reasoning", summary: [{ type: "summary_text", text: "Hm." }] }]),
    ),
    stop: "end_turn",
    thinking: "Hm.",
  },
  {
    name: "a chat completion",
    body: '{"choices":[{"message":{"content":"Hi"}}]}',
    contentType: JSON_TYPE,
    error: ["api_error"],
  },
  {
    name: "validation errors of FastAPI",
    body: '{"detail":[{"loc":["body","input"],"msg":"field required"}]}',
    contentType: JSON_TYPE,
    error: ["api_error", /field required/],
  },
  {
    name: "an end in the name of the Realtime API",
    body: dataLines({ type: "response.done", response: { status: "completed", output: [MESSAGE] } }),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "an event of the cancellation",
    body: dataLines(HI, finish("cancelled", [])),
    error: ["overloaded_error"],
  },
  {
    name: "an error in the first event",
    body: dataLines({
      type: "response.created",
      response: { status: "failed", error: { message: "no gpu" } },
    }),
    error: ["api_error", /no gpu/],
  },
  {
    name: "a status that no table has",
    body: dataLines({ type: "response.completed", response: { status: "expired", output: [MESSAGE] } }),
    stop: "end_turn",
    text: "Hi",
    loss: /answer\.stop_reason/,
  },
  {
    name: "content that is one part",
    body: dataLines(finish("completed", [{ type: "message", content: { type: "output_text", text: "Hi" } }])),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "items by index",
    body: dataLines(finish("completed", { "0": MESSAGE })),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "a call without a name",
    body: dataLines(finish("completed", [call({ name: null, arguments: "{}" })])),
    error: ["api_error", /no tool name/],
  },
  {
    name: "the same call ID twice",
    body: dataLines(
      finish("completed", [call({ arguments: '{"path":"a"}' }), call({ arguments: '{"path":"b"}' })]),
    ),
    stop: "tool_use",
    calls: [["Read", { path: "a" }], ["Read", { path: "b" }]],
  },
];
