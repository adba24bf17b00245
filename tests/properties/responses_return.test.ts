import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMessagesRequest } from "../../lib/anthropic/parse.ts";
import { HOST_NAMES } from "../../lib/config/presets.ts";
import { dialectFor } from "../kit/dialects.ts";
import { seal } from "../../lib/dialects/sealed.ts";
import { conversations, removeLosses } from "./generators/conversations.ts";
import { toContext } from "./generators/families.ts";
import { blocksOf, countParts, historyOf } from "./generators/histories.ts";
import { translateRequest } from "./unreported_losses.ts";
import { toPlain } from "../kit/requests/chat_request.ts";
import { type Json, objects, parseJson, type Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";
import { fromResponsesRequest } from "../kit/requests/responses_request.ts";

const RUNS = { seed: SEED, numRuns: 150 };

const TARGETS = HOST_NAMES.filter((name) => name !== "anthropic").flatMap((name) => [
  [name, "vendor/model"] as const,
  [name, "gpt-5.6-sol"] as const,
  [name, "gpt-4.1"] as const,
]);

for (const [name, model] of TARGETS) {
  const sealItem = ({ summary, encrypted_content }: Json) =>
    seal(model, [{ field: "responses", type: "reasoning", summary, encrypted_content }]);
  const sealReasoning = (encrypted_content: string) => sealItem({ summary: [], encrypted_content });

  test(`Dialect.toBody() translates a conversation to the Responses API without unreported changes (${name}, ${model})`, () => {
    fc.assert(
      fc.property(conversations(sealReasoning), (request) => {
        const target = { dialect: dialectFor(name, "responses", model), toContext: () => toContext(model) };
        const { body, loss } = translateRequest(request, target);
        const expected: Wire = structuredClone(request);
        const actual: Wire = fromResponsesRequest(parseJson(body), sealItem);
        delete expected.stop_sequences; // the gateway ends the answer
        removeLosses(expected, actual, loss);
        assert.deepEqual(toComparable(actual), toComparable(expected));
      }),
      RUNS,
    );
  });
}

/** Removes texts of whitespace only, which are not sent. */
function withoutBlanks({ system, messages, ...rest }: Json): Json {
  const filter = (content: unknown) =>
    objects(content).filter(({ type, text }) => type !== "text" || /\S/.test(String(text)));
  return {
    ...rest,
    ...(system !== undefined && { system: filter(system) }),
    messages: objects(messages).map((message) => ({ ...message, content: filter(message.content) })),
  };
}

/** Reduces a request to the parts that both APIs have. IDs are numbered, because the API accepts only short ones. */
function toComparable(request: Json): Json {
  const { blocks, ...plain } = toPlain(withoutBlanks(request));
  const ids: unknown[] = [];
  const toId = (id: unknown) => {
    if (id === undefined) return id;
    if (!ids.includes(id)) ids.push(id);
    return ids.indexOf(id);
  };
  const seals = new Set<unknown>();
  const kept = objects(blocks).filter(({ text, data }) => {
    // DeepSeek receives its reasoning again before each call.
    const repeated = data !== undefined && seals.has(data);
    seals.add(data);
    return !repeated && !/(Image|Document) omitted/.test(String(text));
  });
  return {
    ...plain,
    blocks: kept.map((one) => ({ ...one, id: toId(one.id), tool_use_id: toId(one.tool_use_id) })),
  };
}

const thought = fc.constantFrom("one", "two").map((encrypted_content): Wire => ({
  type: "redacted_thinking",
  data: seal("m", [{ field: "responses", type: "reasoning", summary: [], encrypted_content }]),
}));
const history = historyOf({
  ids: fc.constantFrom("a", "b", "call_0", "x".repeat(80)),
  answers: [thought],
});

for (const name of ["openai", "deepseek", "llamacpp"] as const) {
  test(`Dialect.toBody() pairs calls, results and reasoning of any history (${name})`, () => {
    fc.assert(
      fc.property(history, (messages) => {
        const context = toContext("m");
        const request = parseMessagesRequest({ model: "m", max_tokens: 20, messages });
        const { input }: Wire = dialectFor(name, "responses", "m").toBody(request, context);
        const open: string[] = [];
        for (const [at, item] of input.entries()) {
          assert.ok(!("id" in item), "no item has an ID");
          if (item.type === "function_call") {
            assert.ok(item.call_id.length <= 64);
            open.push(item.call_id);
          } else if (item.type === "function_call_output") {
            assert.ok(open.includes(item.call_id), "a result follows its call");
            open.splice(open.indexOf(item.call_id), 1);
          } else if (item.role === "user" || item.role === "system") {
            assert.deepEqual(open, [], "calls have their results before any other content");
          } else if (item.type === "reasoning") {
            const next = input.slice(at + 1).find(({ type }: Wire) => type !== "reasoning");
            assert.ok(
              next?.type === "function_call" || next?.role === "assistant",
              "something follows reasoning",
            );
          }
        }
        assert.deepEqual(open, [], "the last calls have their results");
        assert.deepEqual(countParts(input), countParts(blocksOf(messages)), "each part is sent once");
      }),
      RUNS,
    );
  });
}
