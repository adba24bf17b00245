import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { checkGrammar, fold, readFrames, type Wire } from "./grammar.ts";
import {
  type Answer,
  createTestGateway,
  cut,
  post,
  type Road,
  ROADS,
  type TestClock,
  TestUpstream,
  toBytes,
} from "./support.ts";

// A conversation as agents have it: the model thinks and calls a tool, thinks and calls two, then says what came of it.
// At every byte of every answer the upstream breaks off, at every third it falls silent, and at every event the client
// leaves.

const SECOND = 1000;
const SETTINGS = { FIRST_BYTE_TIMEOUT: 30, IDLE_TIMEOUT: 20, PING_INTERVAL: 4, HOLD_TIMEOUT: 10 };

const chunk = (delta: Wire, more: Wire = {}) =>
  `data: ${JSON.stringify({ choices: [{ delta, ...more }] })}\n\n`;
const call = (index: number, id: string, json: string) => ({
  tool_calls: [{ index, id, function: { name: "look", arguments: json } }],
});
const finish = (reason: string) => [
  chunk({}, { finish_reason: reason }),
  'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}\n\n',
  "data: [DONE]\n\n",
];
const event = (data: Wire) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const start = (content_block: Wire, index: number) =>
  event({ type: "content_block_start", index, content_block });
const delta = (delta: Wire, index: number) => event({ type: "content_block_delta", index, delta });
const stop = (index: number) => event({ type: "content_block_stop", index });
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
const said = (index: number) => [
  start({ type: "text", text: "" }, index),
  delta({ type: "text_delta", text: "Hé🙂" }, index),
  stop(index),
];
const message = (stop_reason: string, ...blocks: string[]) => [
  event({ type: "message_start", message: { id: "msg_1", usage: { input_tokens: 3, output_tokens: 1 } } }),
  ...blocks,
  event({ type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 5 } }),
  event({ type: "message_stop" }),
];

/** The answers of each turn, and how many of the last frames say nothing that a client must hear. */
const TURNS: Record<Road, { turns: string[][]; spare: number }> = {
  chat: {
    turns: [
      [chunk({ reasoning: "Hm" }), chunk(call(0, "a", '{"at":"é"}')), ...finish("tool_calls")],
      [
        ": OPENROUTER PROCESSING\n\n",
        chunk({ reasoning: "Hm" }),
        chunk(call(0, "b", "{}")),
        chunk(call(1, "c", "{}")),
        ...finish("tool_calls"),
      ],
      [chunk({ content: "Hé🙂" }), ...finish("stop")],
    ],
    spare: 2,
  },
  native: {
    turns: [
      message("tool_use", ...thought(0), ...called("toolu_a", 1)),
      message("tool_use", ...thought(0), ...called("toolu_b", 1), ...called("toolu_c", 2)),
      message("end_turn", ...said(0)),
    ],
    spare: 0,
  },
};

/** One gateway and one client for a whole conversation; the upstream's answer is set anew for each question. */
class Conversation {
  readonly road: Road;
  readonly messages: Wire[] = [{ role: "user", content: "Look around" }];
  readonly upstream: TestUpstream;
  readonly clock: TestClock;
  readonly #handler: (request: Request) => Promise<Response>;
  #answer: Answer = {};

  constructor(road: Road) {
    this.road = road;
    this.upstream = new TestUpstream(() => this.#answer);
    ({ handler: this.#handler, clock: this.clock } = createTestGateway(this.upstream, SETTINGS));
  }

  /** Asks what comes next, of an upstream that answers so. */
  ask(answer: Answer, signal?: AbortSignal): Promise<Response> {
    this.#answer = answer;
    this.upstream.quiet();
    const tools = [{
      name: "look",
      input_schema: { type: "object", properties: { at: { type: "string" } } },
    }];
    const thinking = { type: "enabled", budget_tokens: 1024 };
    const body = { model: ROADS[this.road], max_tokens: 4096, stream: true, thinking, tools };
    return this.#handler(post({ ...body, messages: this.messages }, signal === undefined ? {} : { signal }));
  }

  /** Lets a turn go well, and says what the tools gave. */
  async go(turn: number): Promise<Wire> {
    const frames = TURNS[this.road].turns[turn] ?? [];
    const { events, ending } = await read(await this.ask({ pieces: frames.map(toBytes) }));
    assert.equal(ending, "message_stop", `turn ${turn} goes well`);
    await this.over(`turn ${turn}`);
    const { content, stop_reason } = fold(events);
    this.messages.push({ role: "assistant", content });
    const calls: Wire[] = content.filter(({ type }: Wire) => type === "tool_use");
    if (calls.length > 0) {
      const results = calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "a wall" }));
      this.messages.push({ role: "user", content: results });
    }
    return { content, stop_reason };
  }

  /** Checks what must be true when nothing runs any more. */
  async over(what: string): Promise<void> {
    await setImmediate();
    this.clock.pass(10); // what the upstream counted is learned a moment later
    assert.ok(this.upstream.idle, `${what}: the upstream is let go`);
    assert.equal(this.clock.waiting, 0, `${what}: no timer is left`);
    const { requests } = await (await this.#handler(new Request("http://localhost/status"))).json();
    assert.equal(requests.open, 1, `${what}: only this question is open`);
  }
}

/** Reads an answer; whatever it is, it must be legal. */
async function read(response: Response): Promise<{ ending: string; events: Wire[]; error?: Wire }> {
  const text = await response.text();
  if (response.status !== 200) {
    const { type, error } = JSON.parse(text);
    assert.equal(type, "error");
    return { ending: "status", events: [], error };
  }
  const events = readFrames(text);
  return { ending: checkGrammar(events), events, error: events.at(-1)?.error };
}

for (const road of ["chat", "native"] as const) {
  const { turns, spare } = TURNS[road];

  test(
    `a conversation goes on after any fault in any of its answers (${road})`,
    { timeout: 60_000 },
    async () => {
      const undisturbed = new Conversation(road);
      const expected: Wire[] = [];
      for (const turn of turns.keys()) expected.push(await undisturbed.go(turn));
      assert.deepEqual(expected.map(({ stop_reason }) => stop_reason), ["tool_use", "tool_use", "end_turn"]);

      const disturbed = new Conversation(road);
      for (const [turn, frames] of turns.entries()) {
        const whole = toBytes(frames.join(""));
        const told = toBytes(frames.slice(0, frames.length - spare).join("")).length - 2;
        for (let offset = 0; offset < told; offset++) {
          const pieces = cut(whole.subarray(0, offset), [53]);
          const what = `turn ${turn}, byte ${offset}`;

          const ending = offset % 2 === 0 ? "close" : "reset";
          const broken = await read(await disturbed.ask({ pieces, ending, deaf: offset % 3 === 0 }));
          assert.ok(["error", "status"].includes(broken.ending), `${what}: half is not sold as whole`);
          assert.equal(broken.error.type, "api_error", what);
          await disturbed.over(what);

          if (offset % 3 !== 0) continue;
          const asked = disturbed.ask({ pieces, ending: "silence", deaf: offset % 2 === 0 }).then(read);
          await disturbed.upstream.silent;
          for (let passed = 0; passed < 30; passed += 10) {
            await setImmediate();
            disturbed.clock.pass(10 * SECOND);
          }
          const stalled = await asked;
          assert.ok(["error", "status"].includes(stalled.ending), what);
          assert.equal(stalled.error.type, "timeout_error", what);
          assert.match(stalled.error.message, /"openrouter": it sent nothing for [23]0 s$/, what);
          await disturbed.over(what);
        }
        assert.deepEqual(await disturbed.go(turn), expected[turn], `turn ${turn} is asked again`);
      }
    },
  );

  test(`a conversation goes on after its client left at any event of any answer (${road})`, async () => {
    const conversation = new Conversation(road);
    for (const [turn, frames] of turns.entries()) {
      for (let events = 0; events <= frames.length; events++) {
        for (const leave of ["before", "cancels", "aborts"] as const) {
          const what = `turn ${turn}, ${leave} after ${events} frames`;
          const client = new AbortController();
          const pieces = frames.slice(0, events).map(toBytes);
          const asked = conversation.ask(
            { pieces, ending: "silence", deaf: events % 2 === 0 },
            client.signal,
          );
          const response = await Promise.race([asked, conversation.upstream.silent]);
          if (response !== undefined && leave === "cancels") await response.body?.cancel();
          else client.abort();
          await asked.then((answer) => answer.body?.cancel());
          await conversation.over(what);
        }
      }
      await conversation.go(turn);
    }
  });
}
