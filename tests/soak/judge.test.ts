import assert from "node:assert/strict";
import { test } from "node:test";
import { drawPlan, expectedResult, type Fault, type Plan } from "./plan.ts";
import { judge, KEY, toText, type Transcript } from "./judge.ts";
import { createRandom } from "../kit/random.ts";
import { writeEvent } from "../kit/streams.ts";

const PLAN: Plan = {
  nonce: "~1x2~",
  api: "chat",
  stream: true,
  behavior: "reads",
  fault: "none",
  size: 2,
  at: 0,
  repeats: 1,
  times: 1,
  pace: 0,
};
const usage = { input_tokens: 1, output_tokens: 1 };
const START = [
  writeEvent({
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    },
  }),
  writeEvent({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
];
const writeText = (text: string) =>
  writeEvent({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
const STOP = [
  writeEvent({ type: "content_block_stop", index: 0 }),
  writeEvent({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage }),
  writeEvent({ type: "message_stop" }),
];
const ERROR = writeEvent({
  type: "error",
  error: { type: "api_error", message: "Lost" },
  request_id: "req_1",
});
const GOOD = [...START, writeText("~1x2~ ~1x2~ "), ...STOP];
const SSE = { "content-type": "text/event-stream" };
const ENVELOPE = JSON.stringify({
  type: "error",
  error: { type: "api_error", message: "Lost" },
  request_id: "r",
});

const stream = (frames: string[], more: Partial<Transcript> = {}): Transcript => ({
  plan: PLAN,
  status: 200,
  headers: SSE,
  body: frames.join(""),
  end: "whole",
  ...more,
});
const whole = (status: number, body: string, fault: Fault, id = "r"): Transcript => ({
  plan: { ...PLAN, fault },
  status,
  headers: { "content-type": "application/json", "request-id": id },
  body,
  end: "whole",
});
const MESSAGE = JSON.stringify({ content: [{ type: "text", text: toText(PLAN) }], stop_reason: "end_turn" });
const reset: Plan = { ...PLAN, fault: "reset" };

test("judge() accepts correct answers", () => {
  const right: [Transcript, outcome: string][] = [
    [stream(GOOD), "message_stop"],
    [stream([...START, writeText("~1x2~ "), ERROR], { plan: reset }), "error event"],
    [stream([...START, writeText("~1x2~ ")], { end: "left" }), "left"],
    [stream([...START, "event: content_bl"], { end: "left" }), "left"],
    [whole(200, MESSAGE, "none"), "message"],
    [whole(502, ENVELOPE, "broken"), "error status"],
  ];
  for (const [transcript, outcome] of right) assert.deepEqual(judge(transcript), { outcome, wrong: [] });
});

const WRONG: [what: string, Transcript, RegExp][] = [
  ["a fault that looks like a success", stream(GOOD, { plan: reset }), /^a fault looks like a success$/],
  ["a message in one piece after a fault", whole(200, MESSAGE, "truncate"), /^a fault looks like a success$/],
  [
    "another client's text",
    stream([...START, writeText("~1x2~ ~9x9~ "), ...STOP]),
    /text of another answer: ~9x9~/,
  ],
  [
    "another client's text to one that disconnected",
    stream([...START, writeText("~9x9~ ")], { end: "left" }),
    /another answer: ~9x9~/,
  ],
  ["a key", stream([...START, writeText(KEY), ...STOP]), /the gateway's key/],
  ["a cut connection", stream(GOOD, { end: "cut" }), /^the connection breaks$/],
  ["an answer that never ends", stream([...START], { end: "never" }), /^it never ends/],
  [
    "a stream without an end",
    stream([...START, writeText("~1x2~ ")], { plan: reset }),
    /^the stream has no end$/,
  ],
  [
    "lost text",
    stream([...START, writeText("~1x2~ "), ...STOP]),
    /^its text is not the upstream's$/,
  ],
  [
    "repeated text",
    stream([...START, writeText("~1x2~ ~1x2~ ~1x2~ "), ...STOP]),
    /not the upstream's/,
  ],
  ["a failure without a fault", stream([...START, ERROR]), /^it fails without a fault/],
  [
    "something after the end",
    stream([...GOOD, writeEvent({ type: "ping" })]),
    /not valid: .*comes after message_stop/,
  ],
  ["a block that was not closed", stream([...START, writeText("~1x2~ ~1x2~ "), STOP[2] ?? ""]), /not valid/],
  ["half a frame", stream([...GOOD, "event: ping"]), /not valid: the stream ends in the middle of a frame/],
  ["an error without an envelope", whole(500, "<html>", "broken"), /not valid|no envelope/],
  ["an error without its id", whole(500, ENVELOPE, "broken", "other"), /^the error has no request id$/],
  ["a redirect", whole(307, ENVELOPE, "redirect"), /^its status is 307$/],
  [
    "a message without an end",
    whole(200, MESSAGE.replace("end_turn", ""), "none"),
    /^the message has no end$/,
  ],
];

for (const [what, transcript, wrong] of WRONG) {
  test(`judge() reports ${what}`, () => assert.match(judge(transcript).wrong.join("; "), wrong));
}

test("drawPlan() draws every fault and every behavior, reproducibly, with unique nonces", () => {
  const plans = Array.from({ length: 2000 }, (_, nth) => nth).map((nth) => drawPlan(createRandom(nth), nth));
  const again = drawPlan(createRandom(7), 7);
  assert.deepEqual(again, plans[7]);
  assert.equal(new Set(plans.map(({ fault }) => fault)).size, 14);
  assert.equal(new Set(plans.map(({ behavior }) => behavior)).size, 4);
  assert.equal(new Set(plans.map(({ nonce }) => nonce)).size, plans.length);
  for (const plan of plans) assert.ok(plan.at < plan.size, "a fault comes before the end");
});

test("dueOf() allows an upstream to be busy once", () => {
  assert.equal(expectedResult({ ...PLAN, fault: "busy", times: 1 }), "success");
  assert.equal(expectedResult({ ...PLAN, fault: "busy", times: 2 }), "failure");
});
