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

/** A call of a method of the writer. A `piece` belongs to one of the tool calls opened so far. */
type Step =
  | { kind: "text" | "thinking" | "signature"; text: string }
  | { kind: "whole" | "start" | "take" }
  | { kind: "tool"; args: Wire }
  | { kind: "piece"; call: number; size: number };

const text = fc.string({ unit: "grapheme", maxLength: 8 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("text" as const), text }),
  fc.record({ kind: fc.constant("thinking" as const), text }),
  fc.record({ kind: fc.constant("signature" as const), text: fc.string({ minLength: 1 }) }),
  fc.record({ kind: fc.constantFrom("whole" as const, "start" as const, "take" as const) }),
  fc.record({ kind: fc.constant("tool" as const), args: fc.dictionary(fc.string(), fc.jsonValue()) }),
  fc.record({ kind: fc.constant("piece" as const), call: fc.nat(), size: fc.integer({ min: 1, max: 9 }) }),
);
const reasons = fc.constantFrom<StopReason[]>(
  "end_turn",
  "tool_use",
  "stop_sequence",
  "refusal",
  "max_tokens",
);

/** Stop reasons with which the arguments of a call may be truncated. */
const CUTS: StopReason[] = ["max_tokens", "model_context_window_exceeded", "refusal"];

interface WrittenStream {
  events: Wire[];
  /** The expected blocks, in the order in which they were opened. */
  expected: Wire[];
}

/** Runs the steps on a writer, and collects its events and the expected blocks. */
function writeSteps(steps: readonly Step[], reason: StopReason): WrittenStream {
  const head = { id: "msg_1", model: "m", usage: { input_tokens: 1, output_tokens: 1 } };
  const writer = new MessageWriter(head);
  const events: Wire[] = [];
  const expected: Wire[] = [];
  const calls: { text: string; write: (fragment: string) => void }[] = [];
  const last = (type: string) => {
    const block = expected.at(-1);
    return block?.type === type && !block.signature ? block : undefined;
  };
  for (const step of steps) {
    switch (step.kind) {
      case "text":
        writer.text(step.text);
        if (step.text === "") break;
        if (last("text") === undefined) expected.push({ type: "text", text: "" });
        last("text").text += step.text;
        break;
      case "thinking":
        writer.thinking(step.text);
        if (last("thinking") === undefined) expected.push({ type: "thinking", thinking: "", signature: "" });
        last("thinking").thinking += step.text;
        break;
      case "signature":
        writer.signature(step.text);
        if (last("thinking") !== undefined) last("thinking").signature = step.text;
        break;
      case "whole": {
        const block = { type: "redacted_thinking", data: String(expected.length) };
        writer.addBlock(block);
        expected.push(block);
        break;
      }
      case "tool": {
        const id = `toolu_${calls.length}`;
        calls.push({ text: JSON.stringify(step.args), write: writer.tool(id, "t") });
        expected.push({ type: "tool_use", id, name: "t", input: step.args });
        break;
      }
      case "piece": {
        const call = calls[step.call % calls.length];
        call?.write(call.text.slice(0, step.size));
        if (call !== undefined) call.text = call.text.slice(step.size);
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

test("MessageWriter writes a valid stream for any sequence of calls", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), reasons, (steps, reason) => {
      const { events } = writeSteps(steps, reason);
      assert.equal(checkGrammar(events), "message_stop");
      assert.equal(events.at(-2).delta.stop_reason, reason);
    }),
    RUNS,
  );
});

test("MessageWriter writes all content in order, each block separately", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const { events, expected } = writeSteps(steps, "end_turn");
      assert.deepEqual(foldEvents(events).content, expected);
    }),
    RUNS,
  );
});

test("MessageWriter writes a prefix of the arguments of a truncated call", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), fc.constantFrom(...CUTS), (steps, reason) => {
      const { events, expected } = writeSteps(steps, reason);
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
  const alone = anyStep.filter(({ kind }) => kind !== "tool" && kind !== "piece");
  fc.assert(
    fc.property(fc.array(alone, { maxLength: 20 }), fc.boolean(), (steps, called) => {
      const writer = new MessageWriter({
        id: "msg_1",
        model: "m",
        usage: { input_tokens: 1, output_tokens: 1 },
      });
      if (called) writer.tool("toolu_1", "t")('{"a":1}');
      for (const step of steps) {
        if (step.kind !== "text" && step.kind !== "thinking") continue;
        writer[step.kind](step.text);
        const shown = writer.take().map((event) =>
          event.type === "content_block_delta" ? event.delta[step.kind] : undefined
        );
        if (step.text !== "") assert.deepEqual(shown.filter((one) => one !== undefined), [step.text]);
      }
    }),
    RUNS,
  );
});

test("collectMessage() folds the events of MessageWriter as documented", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 20 }), async (steps) => {
      const { events } = writeSteps(steps, "end_turn");
      assert.deepEqual(await collectMessage([events]), foldEvents(events));
    }),
    RUNS,
  );
});

test("MessageWriter throws if the arguments of a call are not an object, and does not end the message", () => {
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
