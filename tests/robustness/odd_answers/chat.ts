import { gzipSync } from "node:zlib";
import { dataLines, JSON_TYPE, type OddAnswer } from "./odd_answer.ts";

const DONE = "data: [DONE]\n\n";
const delta = (fields: object, finish: unknown = null, more: object = {}) => ({
  choices: [{ index: 0, delta: fields, finish_reason: finish }],
  ...more,
});
const call = (name: unknown, input: unknown) =>
  delta({ tool_calls: [{ index: 0, id: "c0", type: "function", function: { name, arguments: input } }] });
const CALLS = delta({}, "tool_calls");
const STOP = delta({}, "stop");
const HI = delta({ content: "Hi" });
const READ = [["Read", { path: "a" }]] as const;
const whole = (message: unknown, finish = "stop") =>
  JSON.stringify({ choices: [{ index: 0, message, finish_reason: finish }] });

/** Unusual answers of hosts of chat completions. */
export const CHAT_ANSWERS: readonly OddAnswer[] = [
  {
    name: "a finish that is an object",
    body: dataLines(HI, delta({}, { type: "stop" }), DONE),
    stop: "end_turn",
    text: "Hi",
  },
  { name: "an empty finish", body: dataLines(HI, delta({}, ""), DONE), stop: "end_turn", text: "Hi" },
  {
    name: "tool calls as the finish, with text alone",
    body: dataLines(HI, CALLS, DONE),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "tool calls as the finish, with nothing",
    body: dataLines(CALLS, DONE),
    error: ["api_error", /has none/],
  },
  {
    name: "an error beside the finish",
    body: dataLines(HI, {
      choices: [{ index: 0, delta: {}, finish_reason: "stop", error: { message: "boom" } }],
    }, DONE),
    error: ["api_error", /boom/],
  },
  {
    name: "a failed status after the finish",
    body: dataLines(HI, STOP, { status: "error", message: "gpu lost" }, DONE),
    error: ["api_error", /gpu lost/],
  },
  {
    name: "a list of errors beside empty choices",
    body: JSON.stringify({ choices: [], errors: [{ message: "worker threw", code: 1101 }] }),
    contentType: JSON_TYPE,
    error: ["api_error", /worker threw/],
  },
  {
    name: "an empty account in a whole answer",
    body: JSON.stringify({ success: false, msg: "quota exhausted", code: 1113 }),
    contentType: JSON_TYPE,
    error: ["billing_error", /quota exhausted/],
  },
  {
    name: "calls in an object by index",
    body: dataLines(
      delta({ tool_calls: { "0": { id: "c0", function: { name: "Read", arguments: '{"path":"a"}' } } } }),
      CALLS,
      DONE,
    ),
    stop: "tool_use",
    calls: READ,
  },
  {
    name: "a call without a function object",
    body: dataLines(
      delta({ tool_calls: [{ index: 0, id: "c0", name: "Read", arguments: { path: "a" } }] }),
      CALLS,
      DONE,
    ),
    stop: "tool_use",
    calls: READ,
  },
  {
    name: "arguments in a string",
    body: dataLines(call("Read", '"{\\"path\\":\\"a\\"}"'), CALLS, DONE),
    stop: "tool_use",
    calls: READ,
  },
  {
    name: "arguments with a mark of the template",
    body: dataLines(call("Read", '{"path":"a"}<|im_end|>'), CALLS, DONE),
    stop: "tool_use",
    calls: READ,
  },
  {
    name: "the arguments of two calls in one",
    body: dataLines(call("Read", '{"path":"a"}{"path":"b"}'), CALLS, DONE),
    error: ["api_error", /not one JSON object/],
  },
  {
    name: "arguments of Python",
    body: dataLines(call("Read", "{'path': 'a'}"), CALLS, DONE),
    error: ["api_error", /not one JSON object/],
  },
  {
    name: "arguments that are cut",
    body: dataLines(call("Read", '{"path":"a'), CALLS, DONE),
    error: ["api_error", /not one JSON object/],
  },
  {
    name: "a call without a name",
    body: dataLines(call(null, '{"path":"a"}'), CALLS, DONE),
    error: ["api_error", /no tool name/],
  },
  {
    name: "reasoning in an object",
    body: dataLines(delta({ reasoning: { text: "Hm." } }), HI, STOP, DONE),
    stop: "end_turn",
    thinking: "Hm.",
    text: "Hi",
  },
  {
    name: "reasoning in a list",
    body: dataLines(delta({ reasoning_content: [{ text: "Hm." }] }), HI, STOP, DONE),
    stop: "end_turn",
    thinking: "Hm.",
    text: "Hi",
  },
  {
    name: "a video",
    body: whole({ content: [{ type: "video_url", video_url: { url: "https://x.test/v" } }] }),
    contentType: JSON_TYPE,
    stop: "end_turn",
    text: /video_url/,
  },
  {
    name: "an image in Gemini's form",
    body: whole({ content: [{ inline_data: { mime_type: "image/png", data: "AAAA" } }] }),
    contentType: JSON_TYPE,
    stop: "end_turn",
    text: /an image \(image\/png/,
  },
  { name: "a byte order mark", body: `\ufeff${dataLines(HI, STOP, DONE)}`, stop: "end_turn", text: "Hi" },
  {
    name: "carriage returns as line ends",
    body: dataLines(HI, STOP, DONE).replaceAll("\n", "\r"),
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "another charset",
    body: Uint8Array.from(whole({ content: "Grüße" }), (char) => char.charCodeAt(0)),
    contentType: `${JSON_TYPE}; charset=iso-8859-1`,
    stop: "end_turn",
    text: "Grüße",
  },
  {
    name: "gzip that is not declared",
    body: new Uint8Array(gzipSync(dataLines(HI, STOP, DONE))),
    error: ["api_error"],
  },
  {
    name: "the format of Ollama's own API",
    body: '{"message":{"content":"Hi"},"done":true}\n',
    contentType: "application/x-ndjson",
    error: ["api_error"],
  },
  {
    name: "a connection that breaks within a character",
    body: new TextEncoder().encode(dataLines(delta({ content: "ü" }))).slice(0, 48),
    ending: "reset",
    error: ["api_error"],
  },
  {
    name: "heartbeats after the finish, without an end",
    body: dataLines(HI, STOP, ": hb\n\n"),
    ending: "open",
    stop: "end_turn",
    text: "Hi",
  },
  {
    name: "an error after two marks of the end",
    body: dataLines(HI, DONE, DONE, { error: { message: "late" } }),
    error: ["api_error", /late/],
  },
  {
    name: "a page that is declared an event stream",
    body: "\n\n <html><head>Just a moment...</head></html>",
    error: ["api_error", /HTML/],
  },
];
