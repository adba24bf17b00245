import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEvents, type WireEvent } from "./events.ts";
import { assertLegal } from "./legal.ts";

const message = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "acme/talker-1",
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 0 },
};

const START = is("message_start", { message });
const TEXT = is("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
const HELLO = is("content_block_delta", { index: 0, delta: { type: "text_delta", text: "Hello" } });
const END = is("content_block_stop", { index: 0 });
const CALL = is("content_block_start", {
  index: 1,
  content_block: { type: "tool_use", id: "toolu_1", name: "clock", input: {} },
});
const INPUT = is("content_block_delta", {
  index: 1,
  delta: { type: "input_json_delta", partial_json: "{}" },
});
const CALLED = is("content_block_stop", { index: 1 });
const TOLD = is("message_delta", {
  delta: { stop_reason: "tool_use", stop_sequence: null },
  usage: { input_tokens: 3, output_tokens: 2 },
});
const STOP = is("message_stop", {});
const PING = is("ping", {});
const ERROR = is("error", { error: { type: "api_error", message: "no" }, request_id: "req_1" });
const CUT = but(TOLD, { delta: { stop_reason: "max_tokens", stop_sequence: null } });
const HALF = but(INPUT, { delta: { type: "input_json_delta", partial_json: '{"a":' } });

test("assertLegal() lets the legal pass, and tells how it ends", () => {
  assert.equal(assertLegal([START, TEXT, PING, HELLO, END, CALL, INPUT, CALLED, TOLD, STOP]), "message_stop");
  assert.equal(assertLegal([START, TOLD, STOP]), "message_stop");
  assert.equal(assertLegal([START, TEXT, END, CALL, HALF, CALLED, CUT, STOP]), "message_stop");
  assert.equal(assertLegal([START, TEXT, HELLO, ERROR]), "error");
});

const ILLEGAL: [events: WireEvent[], complaint: RegExp][] = [
  [[], /neither message_stop nor error/],
  [[TEXT, START, TOLD, STOP], /before message_start/],
  [[ERROR], /before message_start/],
  [[START, START, TOLD, STOP], /second one/],
  [[but(START, { message: { ...message, usage: {} } }), TOLD, STOP], /input_tokens/],
  [[but(START, { message: { ...message, content: null } }), TOLD, STOP], /content is not \[\]/],
  [[but(START, { message: { ...message, id: "gen-1" } }), TOLD, STOP], /no id/],
  [[{ ...START, event: "start" }, TOLD, STOP], /not the type of its data/],
  [[START, HELLO, TOLD, STOP], /block is not open/],
  [[START, TEXT, END, HELLO, TOLD, STOP], /block is not open/],
  [[START, CALL, INPUT, CALLED, TOLD, STOP], /index is not 0/],
  [[START, TEXT, CALL, INPUT, CALLED, END, TOLD, STOP], /still open/],
  [[START, TEXT, TOLD, STOP], /still open/],
  [[START, TEXT, but(INPUT, { index: 0 }), END, TOLD, STOP], /no delta for a block of type "text"/],
  [[START, but(TEXT, { content_block: { type: "text", text: "Hi" } }), END, TOLD, STOP], /begin empty/],
  [[START, TEXT, but(HELLO, { delta: { type: "text_delta" } }), END, TOLD, STOP], /text is no text/],
  [[START, TEXT, END, CALL, INPUT, INPUT, CALLED, TOLD, STOP], /not one JSON object/],
  [[START, TEXT, END, CALL, HALF, CALLED, TOLD, STOP], /not one JSON object/],
  [[START, TEXT, END, CALL, CALLED, but(CALL, { index: 2 })], /first of its kind/],
  [[START, TEXT, END, TOLD], /neither message_stop nor error/],
  [[START, TEXT, END, STOP], /before message_delta/],
  [[START, TOLD, TEXT, END, STOP], /after message_delta/],
  [[START, TOLD, STOP, STOP], /after message_stop/],
  [[START, TOLD, STOP, ERROR], /after message_stop/],
  [[START, ERROR, STOP], /after error/],
  [[START, but(TOLD, { usage: {} }), STOP], /output_tokens/],
  [[START, but(TOLD, { delta: { stop_reason: null } }), STOP], /no stop_reason/],
  [[START, is("surprise", {}), TOLD, STOP], /no event of the API/],
];

for (const [events, complaint] of ILLEGAL) {
  const story = events.map(({ event }) => event).join(", ") || "nothing";
  test(`assertLegal() refuses ${complaint} in ${story}`, () => {
    assert.throws(() => assertLegal(events), complaint);
  });
}

test("parseEvents() refuses what is not one event line and one data line", () => {
  assert.deepEqual(parseEvents('event: ping\ndata: {"type":"ping"}\n\n'), [PING]);
  for (
    const bad of [
      'data: {"type":"ping"}\n\n',
      "event: ping\ndata: [DONE]\n\n",
      ": comment\n\n",
      "event: ping\n",
    ]
  ) {
    assert.throws(() => parseEvents(bad));
  }
});

function is(event: string, data: object): WireEvent {
  return { event, data: { type: event, ...data } };
}

function but(event: WireEvent, data: object): WireEvent {
  return { ...event, data: { ...event.data, ...data } };
}
