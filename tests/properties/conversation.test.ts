import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { cutBySizes, toBytes } from "../kit/bytes.ts";
import { foldEvents, parseEvents } from "../kit/events.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";
import { API_SETTINGS, MODELS, UPSTREAM_APIS, type UpstreamApi } from "../kit/requests/request.ts";
import { DONE, writeChunk, writeDelta, writeEvent } from "../kit/streams.ts";
import { type FakeResponse, FakeUpstream } from "../kit/upstream.ts";

// A conversation of an agent: the model thinks and calls a tool, thinks and calls two tools, then answers with a text.
// The upstream ends each answer early at every byte and stalls at every third one; the client disconnects at every
// event.

const SECOND = 1000;
const SETTINGS = { FIRST_BYTE_TIMEOUT: 30, IDLE_TIMEOUT: 20, PING_INTERVAL: 4, HOLD_TIMEOUT: 10 };

const call = (index: number, id: string, json: string) => ({
  tool_calls: [{ index, id, function: { name: "look", arguments: json } }],
});
const finish = (reason: string) => [
  writeDelta({}, { finish_reason: reason }),
  writeChunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 5 } }),
  DONE,
];
const start = (content_block: Wire, index: number) =>
  writeEvent({ type: "content_block_start", index, content_block });
const delta = (delta: Wire, index: number) => writeEvent({ type: "content_block_delta", index, delta });
const stop = (index: number) => writeEvent({ type: "content_block_stop", index });
const thought = (index: number) => [
  start({ type: "thinking", thinking: "", signature: "" }, index),
  delta({ type: "thinking_delta", thinking: "Hm" }, index),
  delta({ type: "signature_delta", signature: "c2ln" }, index),
  stop(index),
];
const called = (id: string, index: number) => [
  start({ type: "tool_use", id, name: "look", input: {} }, index),
  delta({ type: "input_json_delta", partial_json: '{"at":"é"}' }, index),
  stop(index),
];
const text = (index: number) => [
  start({ type: "text", text: "" }, index),
  delta({ type: "text_delta", text: "Hé🙂" }, index),
  stop(index),
];
const response = (...items: Wire[]) => [
  writeEvent({ type: "response.created", response: { status: "in_progress" } }),
  ...items.flatMap((item, output_index) => [
    writeEvent({
      type: "response.output_item.added",
      output_index,
      item: { ...item, content: [], arguments: "" },
    }),
    writeEvent({ type: "response.output_item.done", output_index, item }),
  ]),
  writeEvent({
    type: "response.completed",
    response: { status: "completed", output: items, usage: { input_tokens: 3, output_tokens: 5 } },
  }),
];
const reasoningItem = {
  type: "reasoning",
  summary: [{ type: "summary_text", text: "Hm" }],
  encrypted_content: "c2ln",
};
const callItem = (call_id: string) => ({
  type: "function_call",
  call_id,
  name: "look",
  arguments: '{"at":"é"}',
});
const messageItem = { type: "message", content: [{ type: "output_text", text: "Hé🙂" }] };

const message = (stop_reason: string, ...blocks: string[]) => [
  writeEvent({
    type: "message_start",
    message: { id: "msg_1", usage: { input_tokens: 3, output_tokens: 1 } },
  }),
  ...blocks,
  writeEvent({ type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 5 } }),
  writeEvent({ type: "message_stop" }),
];

/** The frames of each turn, and the number of frames at the end that a client does not need. */
const TURNS: Record<UpstreamApi, { turns: string[][]; spare: number }> = {
  chat: {
    turns: [
      [writeDelta({ reasoning: "Hm" }), writeDelta(call(0, "a", '{"at":"é"}')), ...finish("tool_calls")],
      [
        ": OPENROUTER PROCESSING\n\n",
        writeDelta({ reasoning: "Hm" }),
        writeDelta(call(0, "b", "{}")),
        writeDelta(call(1, "c", "{}")),
        ...finish("tool_calls"),
      ],
      [writeDelta({ content: "Hé🙂" }), ...finish("stop")],
    ],
    spare: 2,
  },
  native: {
    turns: [
      message("tool_use", ...thought(0), ...called("toolu_a", 1)),
      message("tool_use", ...thought(0), ...called("toolu_b", 1), ...called("toolu_c", 2)),
      message("end_turn", ...text(0)),
    ],
    spare: 1,
  },
  responses: {
    turns: [
      response(reasoningItem, callItem("call_a")),
      response(reasoningItem, callItem("call_b"), callItem("call_c")),
      response(messageItem),
    ],
    spare: 0,
  },
};

/** One gateway and one client for a whole conversation; each request sets the upstream's response. */
class Conversation {
  readonly api: UpstreamApi;
  readonly messages: Wire[] = [{ role: "user", content: "Look around" }];
  readonly upstream: FakeUpstream;
  readonly gateway: TestGateway;
  #response: FakeResponse = {};

  constructor(api: UpstreamApi) {
    this.api = api;
    this.upstream = new FakeUpstream(() => this.#response);
    this.gateway = createTestGateway({
      upstream: this.upstream,
      settings: { ...SETTINGS, ...API_SETTINGS[api] },
    });
  }

  /** Sends the conversation so far to an upstream with this response. */
  send(response: FakeResponse, signal?: AbortSignal): Promise<Response> {
    this.#response = response;
    this.upstream.resetStalled();
    const tools = [{
      name: "look",
      input_schema: { type: "object", properties: { at: { type: "string" } } },
    }];
    const thinking = { type: "enabled", budget_tokens: 1024 };
    const body = { model: MODELS[this.api], max_tokens: 4096, stream: true, thinking, tools };
    return this.gateway.post({ ...body, messages: this.messages }, signal === undefined ? {} : { signal });
  }

  /** Completes a turn, and adds the results of its tools. */
  async complete(turn: number): Promise<Wire> {
    const frames = TURNS[this.api].turns[turn] ?? [];
    const { events, ending } = await read(await this.send({ body: frames.map(toBytes) }));
    assert.equal(ending, "message_stop", `turn ${turn} is complete`);
    await this.assertIdle(`turn ${turn}`);
    const { content, stop_reason } = foldEvents(events);
    this.messages.push({ role: "assistant", content });
    const calls: Wire[] = content.filter(({ type }: Wire) => type === "tool_use");
    if (calls.length > 0) {
      const results = calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "a wall" }));
      this.messages.push({ role: "user", content: results });
    }
    return { content, stop_reason };
  }

  /** Checks that no request is open. */
  async assertIdle(what: string): Promise<void> {
    await setImmediate();
    const { clock } = this.gateway;
    clock.advance(10); // the gateway learns from the upstream's token counts a moment later
    assert.ok(this.upstream.idle, `${what}: the upstream is idle`);
    assert.equal(clock.waiting, 0, `${what}: no timer is left`);
    const { requests } = await (await this.gateway.get("/status")).json();
    assert.equal(requests.open, 0, `${what}: no other request is open`);
  }
}

/** Reads a response, which must be valid. */
async function read(response: Response): Promise<{ ending: string; events: Wire[]; error?: Wire }> {
  const text = await response.text();
  if (response.status !== 200) {
    const { type, error } = JSON.parse(text);
    assert.equal(type, "error");
    return { ending: "status", events: [], error };
  }
  const events = parseEvents(text);
  return { ending: checkGrammar(events), events, error: events.at(-1)?.error };
}

for (const api of UPSTREAM_APIS) {
  const { turns, spare } = TURNS[api];

  test(
    `POST /v1/messages continues a conversation after any fault in any answer (${api})`,
    async () => {
      const reference = new Conversation(api);
      const expected: Wire[] = [];
      for (const turn of turns.keys()) expected.push(await reference.complete(turn));
      assert.deepEqual(expected.map(({ stop_reason }) => stop_reason), ["tool_use", "tool_use", "end_turn"]);

      const faulty = new Conversation(api);
      for (const [turn, frames] of turns.entries()) {
        const whole = toBytes(frames.join(""));
        const needed = toBytes(frames.slice(0, frames.length - spare).join("")).length - 2;
        for (let offset = 0; offset < needed; offset++) {
          const body = cutBySizes(whole.subarray(0, offset), [53]);
          const what = `turn ${turn}, byte ${offset}`;

          const ending = offset % 2 === 0 ? "close" : "reset";
          const broken = await read(await faulty.send({ body, ending, ignoresAbort: offset % 3 === 0 }));
          assert.ok(["error", "status"].includes(broken.ending), `${what}: a part does not pass as complete`);
          assert.equal(broken.error.type, "api_error", what);
          await faulty.assertIdle(what);

          if (offset % 3 !== 0) continue;
          const pending = faulty.send({ body, ending: "open", ignoresAbort: offset % 2 === 0 }).then(read);
          await faulty.upstream.stalled;
          for (let passed = 0; passed < 30; passed += 10) {
            await setImmediate();
            faulty.gateway.clock.advance(10 * SECOND);
          }
          const stalled = await pending;
          assert.ok(["error", "status"].includes(stalled.ending), what);
          assert.equal(stalled.error.type, "timeout_error", what);
          assert.match(stalled.error.message, /"openrouter": it sent nothing for [23]0 s$/, what);
          await faulty.assertIdle(what);
        }
        assert.deepEqual(await faulty.complete(turn), expected[turn], `turn ${turn} is repeated`);
      }
    },
  );

  test(`POST /v1/messages continues a conversation after the client disconnects at any event (${api})`, async () => {
    const conversation = new Conversation(api);
    for (const [turn, frames] of turns.entries()) {
      for (let events = 0; events <= frames.length; events++) {
        for (const disconnect of ["before", "cancels", "aborts"] as const) {
          const what = `turn ${turn}, ${disconnect} after ${events} frames`;
          const client = new AbortController();
          const body = frames.slice(0, events).map(toBytes);
          const pending = conversation.send(
            { body, ending: "open", ignoresAbort: events % 2 === 0 },
            client.signal,
          );
          const response = await Promise.race([pending, conversation.upstream.stalled]);
          if (response !== undefined && disconnect === "cancels") await response.body?.cancel();
          else client.abort();
          await pending.then((answer) => answer.body?.cancel());
          await conversation.assertIdle(what);
        }
      }
      await conversation.complete(turn);
    }
  });
}
