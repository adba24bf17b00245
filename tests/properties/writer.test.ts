import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StopReason } from "../../lib/anthropic/events.ts";
import { collectMessage } from "../../lib/anthropic/collect.ts";
import { MessageWriter } from "../../lib/anthropic/writer.ts";
import { foldEvents } from "../kit/events.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";

const RUNS = { seed: SEED, numRuns: 1000 };

/** Something said to the writer. A `piece` goes to one of the calls opened so far. */
type Say =
  | { say: "text" | "thinking" | "signature"; words: string }
  | { say: "whole" | "start" | "take" }
  | { say: "tool"; args: Wire }
  | { say: "piece"; call: number; size: number };

const words = fc.string({ unit: "grapheme", maxLength: 8 });
const say: fc.Arbitrary<Say> = fc.oneof(
  fc.record({ say: fc.constant("text" as const), words }),
  fc.record({ say: fc.constant("thinking" as const), words }),
  fc.record({ say: fc.constant("signature" as const), words: fc.string({ minLength: 1 }) }),
  fc.record({ say: fc.constantFrom("whole" as const, "start" as const, "take" as const) }),
  fc.record({ say: fc.constant("tool" as const), args: fc.dictionary(fc.string(), fc.jsonValue()) }),
  fc.record({ say: fc.constant("piece" as const), call: fc.nat(), size: fc.integer({ min: 1, max: 9 }) }),
);
const reasons = fc.constantFrom<StopReason[]>(
  "end_turn",
  "tool_use",
  "stop_sequence",
  "refusal",
  "max_tokens",
);

/** The ends by which calls may be cut. */
const CUTS: StopReason[] = ["max_tokens", "model_context_window_exceeded", "refusal"];

interface Told {
  events: Wire[];
  /** What was said, block by block, in the order in which blocks were opened. */
  expected: Wire[];
}

/** Says everything to a writer, and keeps a plain account of it. */
function tell(says: readonly Say[], reason: StopReason): Told {
  const head = { id: "msg_1", model: "m", usage: { input_tokens: 1, output_tokens: 1 } };
  const writer = new MessageWriter(head);
  const events: Wire[] = [];
  const expected: Wire[] = [];
  const calls: { text: string; write: (fragment: string) => void }[] = [];
  const last = (type: string) => {
    const block = expected.at(-1);
    return block?.type === type && !block.signature ? block : undefined;
  };
  for (const said of says) {
    switch (said.say) {
      case "text":
        writer.text(said.words);
        if (said.words === "") break;
        if (last("text") === undefined) expected.push({ type: "text", text: "" });
        last("text").text += said.words;
        break;
      case "thinking":
        writer.thinking(said.words);
        if (last("thinking") === undefined) expected.push({ type: "thinking", thinking: "", signature: "" });
        last("thinking").thinking += said.words;
        break;
      case "signature":
        writer.signature(said.words);
        if (last("thinking") !== undefined) last("thinking").signature = said.words;
        break;
      case "whole": {
        const block = { type: "redacted_thinking", data: String(expected.length) };
        writer.addBlock(block);
        expected.push(block);
        break;
      }
      case "tool": {
        const id = `toolu_${calls.length}`;
        calls.push({ text: JSON.stringify(said.args), write: writer.tool(id, "t") });
        expected.push({ type: "tool_use", id, name: "t", input: said.args });
        break;
      }
      case "piece": {
        const call = calls[said.call % calls.length];
        call?.write(call.text.slice(0, said.size));
        if (call !== undefined) call.text = call.text.slice(said.size);
        break;
      }
      case "start":
        writer.start();
        break;
      case "take":
        events.push(...writer.take());
    }
  }
  // Calls may be cut only by a limit.
  if (reason !== "max_tokens") { for (const { text, write } of calls) write(text); }
  writer.end(reason);
  events.push(...writer.take());
  return { events: structuredClone(events), expected: JSON.parse(JSON.stringify(expected)) };
}

test("MessageWriter writes a legal stream for any sequence of calls", () => {
  fc.assert(
    fc.property(fc.array(say, { maxLength: 40 }), reasons, (says, reason) => {
      const { events } = tell(says, reason);
      assert.equal(checkGrammar(events), "message_stop");
      assert.equal(events.at(-2).delta.stop_reason, reason);
    }),
    RUNS,
  );
});

test("MessageWriter writes all content in order, each block separately", () => {
  fc.assert(
    fc.property(fc.array(say, { maxLength: 40 }), (says) => {
      const { events, expected } = tell(says, "end_turn");
      assert.deepEqual(foldEvents(events).content, expected);
    }),
    RUNS,
  );
});

test("MessageWriter writes a prefix of the arguments of a truncated call", () => {
  fc.assert(
    fc.property(fc.array(say, { maxLength: 40 }), fc.constantFrom(...CUTS), (says, reason) => {
      const { events, expected } = tell(says, reason);
      for (const [index, { type, input }] of expected.entries()) {
        if (type !== "tool_use") continue;
        const deltas = events.filter((event) =>
          event.type === "content_block_delta" && event.index === index
        );
        const shown = deltas.map(({ delta }) => delta.partial_json).join("");
        const begins = shown === "{}" || JSON.stringify(input).startsWith(shown);
        assert.ok(begins, `${shown} begins ${JSON.stringify(input)}`);
      }
    }),
    RUNS,
  );
});

test("MessageWriter writes content at once unless an earlier call waits for its arguments", () => {
  const alone = say.filter(({ say }) => say !== "tool" && say !== "piece");
  fc.assert(
    fc.property(fc.array(alone, { maxLength: 20 }), fc.boolean(), (says, called) => {
      const writer = new MessageWriter({
        id: "msg_1",
        model: "m",
        usage: { input_tokens: 1, output_tokens: 1 },
      });
      if (called) writer.tool("toolu_1", "t")('{"a":1}');
      for (const said of says) {
        if (said.say !== "text" && said.say !== "thinking") continue;
        writer[said.say](said.words);
        const shown = writer.take().map((event) =>
          event.type === "content_block_delta" ? event.delta[said.say] : undefined
        );
        if (said.words !== "") assert.deepEqual(shown.filter((one) => one !== undefined), [said.words]);
      }
    }),
    RUNS,
  );
});

test("collectMessage() folds the events of MessageWriter as documented", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(say, { maxLength: 20 }), async (says) => {
      const { events } = tell(says, "end_turn");
      assert.deepEqual(await collectMessage([events]), foldEvents(events));
    }),
    RUNS,
  );
});

test("MessageWriter throws if the arguments of a call are not an object, and ends no message", () => {
  const noObject = fc.constantFrom(
    "[1]",
    "1",
    "true",
    '"words"',
    '{"a":',
    '{"a" 1}',
    "{a:1}",
    '{"a":[}',
    "no call",
  );
  fc.assert(
    fc.property(noObject, fc.string(), (args, text) => {
      const writer = new MessageWriter({
        id: "msg_1",
        model: "m",
        usage: { input_tokens: 1, output_tokens: 1 },
      });
      writer.text(text);
      writer.tool("toolu_1", "t")(args);
      assert.throws(() => writer.end("tool_use"), SyntaxError);
      assert.equal(checkGrammar(writer.take()), "cut");
    }),
    RUNS,
  );
});
