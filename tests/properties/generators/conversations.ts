import fc from "fast-check";
import type { LossReport } from "../../../lib/dialects/loss.ts";
import type { Wire } from "../../kit/json.ts";

const plainText = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const mark = fc.constantFrom({}, {}, { cache_control: { type: "ephemeral", ttl: "1h" } });
const mix = (...parts: fc.Arbitrary<Wire>[]): fc.Arbitrary<Wire> =>
  fc.tuple(...parts).map((each) => Object.assign({}, ...each));

const text = mix(plainText.map((text) => ({ type: "text", text })), mark);
const image = fc.oneof(
  fc.base64String({ minLength: 4 }).map((data) => ({ type: "base64", media_type: "image/png", data })),
  fc.webUrl().map((url) => ({ type: "url", url })),
).map((source) => ({ type: "image", source }));
const pdf = fc.base64String({ minLength: 4 }).map((data) => ({
  type: "document",
  source: { type: "base64", media_type: "application/pdf", data },
}));
const thought = fc.constant({ type: "redacted_thinking", data: "" });
const input = fc.dictionary(fc.constantFrom("path", "n", "deep"), fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 3,
});
const id = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => `toolu_${id}`),
  fc.nat().map((nth) => `functions.read:${nth}`),
);
const call = fc.record({ type: fc.constant("tool_use"), id, name: fc.constantFrom("read", "write"), input });

/** A turn: the user's question, the model's thoughts, texts and calls, and the results of the calls. */
const turn = fc.record({
  question: fc.array(fc.oneof(text, image, pdf), { minLength: 1, maxLength: 3 }),
  thoughts: fc.array(thought, { maxLength: 1 }),
  texts: fc.array(text, { maxLength: 1 }),
  calls: fc.uniqueArray(call, { maxLength: 3, selector: ({ id }) => id }),
  results: fc.array(fc.tuple(plainText, fc.boolean()), { minLength: 3, maxLength: 3 }),
}).map(({ question, thoughts, texts, calls, results }): Wire[] => [
  { role: "user", content: question },
  ...(texts.length + calls.length > 0
    ? [{ role: "assistant", content: [...thoughts, ...texts, ...calls] }]
    : []),
  ...(calls.length > 0
    ? [{
      role: "user",
      content: calls.map(({ id }, at) => ({
        type: "tool_result",
        tool_use_id: id,
        content: results[at]?.[0],
        is_error: results[at]?.[1],
      })),
    }]
    : []),
]);

const tools = ["read", "write"].map((name) => ({
  name,
  description: `It ${name}s`,
  input_schema: { type: "object", properties: { path: { type: "string" } } },
}));

/** Conversations with tools. `sealReasoning` seals a text as reasoning of the model. */
export const conversations = (sealReasoning: (text: string) => string): fc.Arbitrary<Wire> =>
  fc.record({
    model: fc.constant("m"),
    max_tokens: fc.integer({ min: 2000, max: 9000 }),
    system: fc.array(text, { maxLength: 2 }),
    messages: fc.array(turn, { minLength: 1, maxLength: 4 }).map((turns) => turns.flat()),
    tools: fc.constant(tools),
    tool_choice: fc.constantFrom({ type: "auto" }, { type: "any", disable_parallel_tool_use: true }, {
      type: "tool",
      name: "read",
    }),
    thinking: fc.constantFrom({ type: "adaptive" }, { type: "disabled" }),
    temperature: fc.double({ min: 0, max: 1, noNaN: true }),
    top_p: fc.double({ min: 0, max: 1, noNaN: true }),
    stop_sequences: fc.uniqueArray(plainText, { minLength: 1, maxLength: 4 }),
  }, { requiredKeys: ["model", "max_tokens", "messages", "tools"] }).map((request) =>
    uniquely(request, sealReasoning)
  );

/** Makes the ids of calls and the texts of thinking unique in a conversation. */
function uniquely(request: Wire, sealReasoning: (text: string) => string): Wire {
  const again: Wire = JSON.parse(JSON.stringify(request));
  let nth = 0;
  let calls: Wire[] = [];
  for (const { role, content } of again.messages) {
    content.filter(({ type }: Wire) => type === "tool_result").forEach((block: Wire, at: number) => {
      block.tool_use_id = calls[at]?.id;
    });
    if (role === "assistant") calls = content.filter(({ type }: Wire) => type === "tool_use");
    for (const block of content) {
      if (block.type === "tool_use") block.id += `_${nth++}`;
      if (block.type === "redacted_thinking") block.data = sealReasoning(`thought ${nth++}`);
    }
  }
  return again;
}

/** Removes the parts that a translation reports as lost, replaced parts from the result as well. */
export function removeLosses(expected: Wire, actual: Wire, loss: LossReport): void {
  for (const [path, action] of loss.entries) {
    remove(expected, path.split("."));
    const [field = ""] = path.split(".");
    if (action !== "dropped") { for (const one of [expected, actual]) delete one[field]; }
  }
}

/** Removes the member at a path; in a list, the others keep their indexes. */
function remove(from: Wire, [step = "", ...more]: readonly string[]): void {
  if (from === undefined) return;
  if (more.length > 0) remove(from[step], more);
  else if (Array.isArray(from)) from[Number(step)] = undefined;
  else delete from[step];
}
