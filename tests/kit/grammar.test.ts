import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEvents } from "./events.ts";
import { checkComplete, checkGrammar } from "./grammar.ts";
import type { Wire } from "./json.ts";

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
const DELTA = is("message_delta", {
  delta: { stop_reason: "tool_use", stop_sequence: null },
  usage: { input_tokens: 3, output_tokens: 2 },
});
const STOP = is("message_stop", {});
const PING = is("ping", {});
const ERROR = is("error", { error: { type: "api_error", message: "no" }, request_id: "req_1" });
const CUT = but(DELTA, { delta: { stop_reason: "max_tokens", stop_sequence: null } });
const HALF = but(INPUT, { delta: { type: "input_json_delta", partial_json: '{"a":' } });

test("checkComplete() accepts valid streams and returns their end", () => {
  assert.equal(
    checkComplete([START, TEXT, PING, HELLO, END, CALL, INPUT, CALLED, DELTA, STOP]),
    "message_stop",
  );
  assert.equal(checkComplete([START, DELTA, STOP]), "message_stop");
  assert.equal(checkComplete([START, TEXT, END, CALL, HALF, CALLED, CUT, STOP]), "message_stop");
  assert.equal(checkComplete([START, TEXT, HELLO, ERROR]), "error");
});

const INVALID: [events: Wire[], message: RegExp][] = [
  [[], /neither message_stop nor error/],
  [[TEXT, START, DELTA, STOP], /before message_start/],
  [[ERROR], /before message_start/],
  [[START, START, DELTA, STOP], /second one/],
  [[but(START, { message: { ...message, usage: {} } }), DELTA, STOP], /input_tokens/],
  [[but(START, { message: { ...message, content: null } }), DELTA, STOP], /content is not \[\]/],
  [[but(START, { message: { ...message, id: "gen-1" } }), DELTA, STOP], /no id/],
  [[START, HELLO, DELTA, STOP], /block is not open/],
  [[START, TEXT, END, HELLO, DELTA, STOP], /block is not open/],
  [[START, CALL, INPUT, CALLED, DELTA, STOP], /index is not 0/],
  [[START, TEXT, CALL, INPUT, CALLED, END, DELTA, STOP], /still open/],
  [[START, TEXT, DELTA, STOP], /still open/],
  [[START, TEXT, but(INPUT, { index: 0 }), END, DELTA, STOP], /no delta for a block of type "text"/],
  [[START, but(TEXT, { content_block: { type: "text", text: "Hi" } }), END, DELTA, STOP], /begin empty/],
  [[START, TEXT, but(HELLO, { delta: { type: "text_delta" } }), END, DELTA, STOP], /text is no text/],
  [[START, TEXT, END, CALL, INPUT, INPUT, CALLED, DELTA, STOP], /not one JSON object/],
  [[START, TEXT, END, CALL, HALF, CALLED, DELTA, STOP], /not one JSON object/],
  [[START, TEXT, END, CALL, CALLED, but(CALL, { index: 2 })], /first of its kind/],
  [[START, TEXT, END, DELTA], /neither message_stop nor error/],
  [[START, TEXT, END, STOP], /before message_delta/],
  [[START, DELTA, TEXT, END, STOP], /after message_delta/],
  [[START, DELTA, DELTA, STOP], /after message_delta/],
  [[START, DELTA, STOP, STOP], /after message_stop/],
  [[START, DELTA, STOP, ERROR], /after message_stop/],
  [[START, ERROR, STOP], /after error/],
  [[START, but(DELTA, { usage: {} }), STOP], /output_tokens/],
  [[START, but(DELTA, { delta: { stop_reason: null } }), STOP], /no stop_reason/],
  [[START, is("surprise", {}), DELTA, STOP], /no event of the API/],
];

for (const [events, message] of INVALID) {
  const types = events.map(({ type }) => type).join(", ") || "an empty stream";
  test(`checkComplete() rejects ${types} with ${message}`, () => {
    assert.throws(() => checkComplete(events), message);
  });
}

test('checkGrammar() returns "cut" for a stream without an end', () => {
  for (const events of [[], [START], [START, TEXT, HELLO], [START, TEXT, END, DELTA]]) {
    assert.equal(checkGrammar(events), "cut");
  }
});

test("parseEvents() rejects an event whose name is not the type of its data", () => {
  const frame = (name: string) => `event: ${name}\ndata: {"type":"message_start"}\n\n`;
  assert.deepEqual(parseEvents(frame("message_start")), [{ type: "message_start" }]);
  assert.throws(() => parseEvents(frame("start")), /not the type of its data/);
});

test("parseEvents() rejects frames that are not one event line and one data line", () => {
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

function is(type: string, data: object): Wire {
  return { type, ...data };
}

function but(event: Wire, data: object): Wire {
  return { ...event, ...data };
}
