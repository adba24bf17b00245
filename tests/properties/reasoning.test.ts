import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMessagesRequest } from "../../lib/anthropic/parse.ts";
import {
  answerIn,
  FAMILIES,
  type Family,
  openrouter,
  readContent,
  toContext,
} from "./generators/families.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";

const RUNS = { seed: SEED, numRuns: 200 };

/** Translates a conversation for a model of a family. Returns the upstream's body and the paths of the losses. */
function translate({ dialect, model }: Pick<Family, "dialect" | "model">, messages: Wire[]) {
  const context = toContext(model);
  const request = parseMessagesRequest({ model: "m", max_tokens: 99, messages });
  const body: Wire = JSON.parse(JSON.stringify(dialect.toBody(request, context)));
  return { body, lost: context.loss.entries.map(([path]) => path) };
}

/** Returns the results of the calls of an answer. */
function toResults(content: Wire[]): Wire[] {
  const calls = content.filter(({ type }) => type === "tool_use");
  return calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: "13" }));
}

/** Removes fields that the next turn need not repeat: the index of a detail, and an id that the host did not send. */
function withoutPlaces(message: Wire): Wire {
  const details = message.reasoning_details?.map(({ index: _index, ...detail }: Wire) => detail);
  const calls = message.tool_calls?.map((call: Wire) => ({
    ...call,
    id: /^toolu_\d/.test(call.id) ? "" : call.id,
  }));
  return { ...message, ...(details && { reasoning_details: details }), ...(calls && { tool_calls: calls }) };
}

for (const family of FAMILIES) {
  test(`Dialect.toBody() returns the reasoning of ${family.name} to it, shown to the client or not`, () => {
    fc.assert(
      fc.property(family.turn, fc.boolean(), ({ sent, wanted }, shown) => {
        const thinking = { type: "adaptive", ...(!shown && { display: "omitted" }) };
        const content = readContent(family, sent, { thinking });
        const { body, lost } = translate(family, [
          { role: "user", content: "Is 91 a prime?" },
          { role: "assistant", content },
          { role: "user", content: [...toResults(content), { type: "text", text: "And 97?" }] },
        ]);
        assert.deepEqual(withoutPlaces(answerIn(body)), wanted);
        assert.deepEqual(lost, []);
      }),
      RUNS,
    );
  });
}

const anyFamily = fc.constantFrom(...FAMILIES);
const anyTurn = anyFamily.chain((family) => family.turn.map(({ sent }) => ({ family, sent })));

test("Dialect.toBody() removes and reports the reasoning of another model", () => {
  fc.assert(
    fc.property(fc.array(anyTurn, { minLength: 1, maxLength: 4 }), anyFamily, (turns, target) => {
      const messages = turns.flatMap(({ family, sent }): Wire[] => [
        { role: "user", content: "Is it?" },
        { role: "assistant", content: readContent(family, sent) },
      ]);
      const { body, lost } = translate(target, [...messages, { role: "user", content: "Sure?" }]);
      const written = JSON.stringify(body);
      assert.ok(!written.includes("orgw1."), "no seal is left");
      for (const [nth, { family, sent }] of turns.entries()) {
        if (family.model === target.model) continue;
        const carriers = [...JSON.stringify(sent).matchAll(/(?:thought|secret\+)\S{36}/g)].map(([word]) =>
          word
        );
        for (const word of carriers) assert.ok(!written.includes(word), `${family.name}: "${word}" is left`);
        messages[nth * 2 + 1].content.forEach(({ type }: Wire, at: number) => {
          if (!/thinking$/.test(type)) return;
          assert.ok(lost.includes(`messages.${nth * 2 + 1}.content.${at}`), "what is taken out is reported");
        });
      }
      const claude = target.model.includes("claude");
      for (const message of body.messages ?? []) {
        if (message.role !== "assistant") continue;
        for (const { type, signature } of Array.isArray(message.content) ? message.content : []) {
          if (type === "thinking" && claude) {
            assert.match(signature, /^claude /, "only Claude's own thoughts");
          }
        }
        for (const { type, signature } of message.reasoning_details ?? []) {
          if (type === "reasoning.text" && claude) {
            assert.match(signature, /^claude /, "only Claude's own thoughts");
          }
        }
        if (claude) assert.ok(!("reasoning" in message), "no thought without a signature");
      }
    }),
    RUNS,
  );
});

test("Dialect.toBody() keeps Claude's thinking byte for byte if the API changes", () => {
  const claude = FAMILIES.filter(({ model }) => model.includes("claude"));
  assert.equal(claude.length, 2);
  for (const from of claude) {
    for (const to of claude) {
      fc.assert(
        fc.property(from.turn, fc.boolean(), ({ sent }, shown) => {
          const thinking = { type: "adaptive", ...(!shown && { display: "omitted" }) };
          const content = readContent(from, sent, { thinking });
          const { body, lost } = translate(to, [{ role: "assistant", content }, {
            role: "user",
            content: "Sure?",
          }]);
          const [signature] = /claude secret[^"]*/.exec(JSON.stringify(sent)) ?? [];
          assert.ok(signature && JSON.stringify(body).includes(signature));
          assert.deepEqual(lost, []);
        }),
        RUNS,
      );
    }
  }
});

const local = FAMILIES.find(({ name }) => name.includes("tags"));

/** Returns what a client receives of an answer that may have thinking between tags. */
function readAnswer(parts: readonly string[], finish = "stop"): { thinking: string; text: string } {
  assert.ok(local);
  const content = readContent(local, [
    ...parts.map((content) => ({ choices: [{ delta: { content } }] })),
    { choices: [{ delta: {}, finish_reason: finish }] },
  ]);
  const all = (type: string, field: string) =>
    content.filter((block) => block.type === type).map((block) => block[field]).join("");
  return { thinking: all("thinking", "thinking"), text: all("text", "text") };
}

const CASES: [content: string, thinking: string, text: string][] = [
  ["<think>Odd.</think>No.", "Odd.", "No."],
  ["\n <think>\n Odd. \n</think>\n\nNo.\n", "Odd.", "No.\n"],
  ["<think>1 < 2 </ 3</think>Yes", "1 < 2 </ 3", "Yes"],
  ["<think>\n\n</think>\n\nNo.", "", "No."],
  ["<think></think>", "", ""],
  ["Use <think>tags</think>.", "", "Use <think>tags</think>."],
  ["<thinking>no tag</thinking>", "", "<thinking>no tag</thinking>"],
  ["<thi", "", "<thi"],
  // Blank text is not an answer: Anthropic's API rejects it in the next turn.
  [" \n", "", ""],
  ["  Indented", "", "  Indented"],
  ["<think>a</think><think>b</think>", "a", "<think>b</think>"],
  // If the tag does not end, the thinking is also the text of the answer.
  ["<think>The answer is 7 </th", "The answer is 7 </th", "The answer is 7 </th"],
];

test("Dialect.createReader() separates thinking between tags from the text at any cut", () => {
  for (const [content, thinking, text] of CASES) {
    for (let first = 0; first <= content.length; first++) {
      for (let second = first; second <= content.length; second++) {
        const parts = [content.slice(0, first), content.slice(first, second), content.slice(second)];
        assert.deepEqual(readAnswer(parts), { thinking, text }, JSON.stringify(parts));
      }
    }
  }
});

test("Dialect.createReader() treats truncated thinking as thinking, not as text", () => {
  assert.deepEqual(readAnswer(["<think>Let me "], "length"), { thinking: "Let me", text: "" });
});

test("Dialect.toBody() drops thinking without a signature for models that require one", () => {
  for (const model of ["anthropic/claude-opus-5.5", "google/gemini-3-pro"]) {
    for (const field of ["reasoning", "reasoning_content"]) {
      const family = { name: model, dialect: openrouter, model };
      const content = readContent(family, [
        { choices: [{ delta: { [field]: "Hm." } }] },
        { choices: [{ delta: { content: "No." }, finish_reason: "stop" }] },
      ]);
      assert.equal(content[0]?.thinking, "Hm.");
      const { body, lost } = translate(family, [{ role: "assistant", content }, {
        role: "user",
        content: "Sure?",
      }]);
      assert.deepEqual(body.messages[0], { role: "assistant", content: "No." });
      assert.deepEqual(lost, ["messages.0.content.0"]);
    }
  }
});
