import fc from "fast-check";
import type { Dialect, TurnContext } from "../../../lib/dialects/mod.ts";
import { dialectFor } from "../../kit/dialects.ts";
import { createChatDialect } from "../../../lib/dialects/openai/mod.ts";
import { writeOpenRouterReasoning } from "../../../lib/dialects/reasoning/openrouter.ts";
import { CHAT_FEATURES } from "../../../lib/dialects/presets.ts";
import { parseMessagesRequest } from "../../../lib/anthropic/parse.ts";
import { LossReport } from "../../../lib/dialects/loss.ts";
import { foldEvents } from "../../kit/events.ts";
import type { Wire } from "../../kit/json.ts";

/** OpenRouter's dialects, by its two APIs. */
export const openrouter = dialectFor("openrouter", "openai", "");
const anthropic = dialectFor("openrouter", "anthropic", "");

/** The format in which one kind of host sends the reasoning of one family of models. */
export interface Family {
  name: string;
  dialect: Dialect;
  model: string;
  /** The events of an answer, and the message that the host requires in the next turn. */
  turn: fc.Arbitrary<{ sent: Wire[]; wanted: Wire }>;
}

/** A unique thought, which a test can find in any format. */
const thought = fc.tuple(fc.uuid(), fc.string({ unit: "grapheme", maxLength: 4 })).map(([id, more]) =>
  `thought ${id} ${more}.`
);
const secret = fc.uuid().map((id) => `secret+${id}/=`);
const pieces = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.integer({ min: 1, max: 20 })).map(([whole, size]) => ({
    whole,
    parts: whole.match(new RegExp(`[^]{1,${size}}`, "gu")) ?? [],
  }));

/** A unique thought in pieces, and a unique secret. */
const reasoningAndSecret = fc.record({ reasoning: pieces(thought), secret });

const call = (id: string, more: Wire = {}) => ({
  id,
  type: "function",
  function: { name: "divide", arguments: '{"a":91}' },
  ...more,
});
const answered = { role: "assistant", content: "No." };
const called = { role: "assistant", content: null };

/** The chunks of a completion with reasoning, and then a text or a call. */
const chunks = (deltas: Wire[], last: Wire = { content: "No." }) => [
  ...[...deltas, last].map((delta) => ({ choices: [{ index: 0, delta }] })),
  { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
];

const detailed = (type: string, text: string, format: string | null) => ({
  reasoning_details: [{ type, [type === "reasoning.summary" ? "summary" : "text"]: text, format, index: 0 }],
  reasoning: text,
});
const encrypted = (data: string, id: string, format: string) => ({
  reasoning_details: [{ type: "reasoning.encrypted", data, id, format, index: 0 }],
});

/** The events of a native answer with these blocks, each with its deltas. */
const native = (blocks: { block: Wire; deltas?: Wire[] }[]): Wire[] => [
  { type: "message_start", message: { id: "msg_1", usage: { input_tokens: 1, output_tokens: 1 } } },
  ...blocks.flatMap(({ block, deltas = [] }, index) => [
    { type: "content_block_start", index, content_block: block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ]),
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
  { type: "message_stop" },
];
const answer = {
  block: { type: "text", text: "" },
  deltas: [{ type: "text_delta", text: "No." }],
};
const thinking = (parts: string[], signature?: string) => ({
  block: { type: "thinking", thinking: "", signature: "" },
  deltas: [
    ...parts.map((piece) => ({ type: "thinking_delta", thinking: piece })),
    ...(signature === undefined ? [] : [{ type: "signature_delta", signature }]),
  ],
});
const text = { type: "text", text: "No." };

/** Creates a family whose reasoning is plain text in a separate field. */
function plain(name: string, dialect: Dialect, model: string, field: string): Family {
  return {
    name,
    dialect,
    model,
    turn: reasoningAndSecret.map(({ reasoning }) => ({
      sent: chunks(reasoning.parts.map((piece) => ({ [field]: piece }))),
      wanted: { ...answered, [field]: reasoning.whole },
    })),
  };
}

/** The events of a response with these items, each with the deltas of its thought. */
const response = (items: { item: Wire; deltas?: Wire[] }[]): Wire[] => [
  { type: "response.created", response: { status: "in_progress" } },
  ...items.flatMap(({ item, deltas = [] }, output_index) => [
    { type: "response.output_item.added", output_index, item: { id: item.id, type: item.type } },
    ...deltas.map((delta) => ({ ...delta, output_index })),
    { type: "response.output_item.done", output_index, item },
  ]),
  { type: "response.completed", response: { status: "completed", output: [] } },
];
const summaryDeltas = (parts: string[]) =>
  parts.map((delta) => ({ type: "response.reasoning_summary_text.delta", summary_index: 0, delta }));
const contentDeltas = (parts: string[]) =>
  parts.map((delta) => ({ type: "response.reasoning_text.delta", content_index: 0, delta }));
const responsesText = { type: "message", content: [{ type: "output_text", text: "No.", annotations: [] }] };
const responsesCall = (name: string) => ({
  type: "function_call",
  call_id: "call_x1y2z3",
  name,
  arguments: "{}",
});

/** The families of models, each with its API and host. */
export const FAMILIES: Family[] = [
  {
    name: "Claude in chat completions",
    dialect: openrouter,
    model: "anthropic/claude-opus-5.5",
    turn: reasoningAndSecret.map(({ reasoning, secret }) => ({
      sent: chunks([
        ...reasoning.parts.map((piece) => detailed("reasoning.text", piece, "anthropic-claude-v1")),
        {
          reasoning_details: [{
            type: "reasoning.text",
            signature: `claude ${secret}`,
            format: "anthropic-claude-v1",
            index: 0,
          }],
        },
      ]),
      wanted: {
        ...answered,
        reasoning_details: [{
          type: "reasoning.text",
          text: reasoning.whole,
          signature: `claude ${secret}`,
          format: "anthropic-claude-v1",
        }],
      },
    })),
  },
  {
    name: "Gemini in chat completions",
    dialect: openrouter,
    model: "google/gemini-3-pro",
    turn: reasoningAndSecret.map(({ secret }) => {
      const detail = encrypted(secret, "call_1", "google-gemini-v1");
      return {
        sent: chunks([detail], { tool_calls: [{ index: 0, ...call("call_1") }] }),
        wanted: {
          ...called,
          tool_calls: [call("call_1")],
          reasoning_details: [{
            type: "reasoning.encrypted",
            data: secret,
            id: "call_1",
            format: "google-gemini-v1",
          }],
        },
      };
    }),
  },
  {
    name: "Grok in chat completions",
    dialect: openrouter,
    model: "x-ai/grok-4.1-fast",
    turn: reasoningAndSecret.map(({ reasoning, secret }) => {
      const format = "xai-responses-v1";
      return {
        sent: chunks([
          ...reasoning.parts.map((piece) => detailed("reasoning.summary", piece, format)),
          encrypted(secret, `rs_${secret}`, format),
        ]),
        wanted: {
          ...answered,
          reasoning_details: [
            { type: "reasoning.summary", summary: reasoning.whole, format },
            { type: "reasoning.encrypted", data: secret, id: `rs_${secret}`, format },
          ],
        },
      };
    }),
  },
  {
    name: "GPT in chat completions",
    dialect: openrouter,
    model: "openai/gpt-5",
    turn: reasoningAndSecret.map(({ secret }) => ({
      sent: chunks([encrypted(secret, `rs_${secret}`, "openai-responses-v1")]),
      wanted: {
        ...answered,
        reasoning_details: [{
          type: "reasoning.encrypted",
          data: secret,
          id: `rs_${secret}`,
          format: "openai-responses-v1",
        }],
      },
    })),
  },
  ...["unknown", null].map((format): Family => ({
    name: `a model without a format of its own (${format})`,
    dialect: openrouter,
    model: "z-ai/glm-5",
    turn: reasoningAndSecret.map(({ reasoning }) => ({
      sent: chunks(reasoning.parts.map((piece) => detailed("reasoning.text", piece, format))),
      wanted: {
        ...answered,
        reasoning_details: [{ type: "reasoning.text", text: reasoning.whole, format }],
      },
    })),
  })),
  plain("DeepSeek", createChatDialect(CHAT_FEATURES.deepseek), "deepseek-reasoner", "reasoning_content"),
  plain("a model on one's own machine", createChatDialect(CHAT_FEATURES.ollama), "qwen3", "reasoning"),
  {
    name: "Mistral",
    dialect: createChatDialect(CHAT_FEATURES.mistral),
    model: "magistral-medium",
    turn: reasoningAndSecret.map(({ reasoning }) => {
      const part = (piece: string) => ({ type: "thinking", thinking: [{ type: "text", text: piece }] });
      return {
        sent: chunks(reasoning.parts.map((piece) => ({ content: [part(piece)] }))),
        wanted: { role: "assistant", content: [part(reasoning.whole), text] },
      };
    }),
  },
  {
    name: "Gemini's own endpoint",
    dialect: createChatDialect(CHAT_FEATURES.gemini),
    model: "gemini-3-pro-preview",
    turn: fc.uniqueArray(secret, { minLength: 1, maxLength: 3 }).map((secrets) => {
      const calls = secrets.map((thought_signature) =>
        call("", { extra_content: { google: { thought_signature } } })
      );
      return {
        sent: chunks([], { tool_calls: calls }),
        wanted: { ...called, tool_calls: calls },
      };
    }),
  },
  {
    name: "a model that thinks between tags",
    dialect: createChatDialect(CHAT_FEATURES.vllm),
    model: "deepseek-r1",
    turn: pieces(
      fc.tuple(fc.constantFrom("", "\n", " "), thought, fc.constantFrom("", "\n\n")).map(
        ([before, reasoning, after]) => `${before}<think>${after}${reasoning}${after}</think>${after}No.`,
      ),
    ).map(({ whole, parts }) => ({
      sent: chunks(parts.map((content) => ({ content })), {}),
      wanted: { role: "assistant", content: whole },
    })),
  },
  {
    name: "GPT in the Responses API",
    dialect: dialectFor("openai", "auto", "gpt-5.6-sol"),
    model: "gpt-5.6-sol",
    turn: fc.tuple(reasoningAndSecret, fc.boolean()).map(([{ reasoning, secret }, readable]) => {
      const summary = readable ? [{ type: "summary_text", text: reasoning.whole }] : [];
      const item = { type: "reasoning", summary, encrypted_content: secret };
      const deltas = readable ? summaryDeltas(reasoning.parts) : [];
      return {
        sent: response([
          { item: { ...item, id: "rs_1", status: "completed" }, deltas },
          { item: { ...responsesText, id: "msg_1" } },
          { item: { ...responsesCall("divide"), id: "fc_1" } },
        ]),
        wanted: {
          items: [
            item,
            { ...responsesText, role: "assistant", phase: "commentary" },
            responsesCall("divide"),
          ],
        },
      };
    }),
  },
  {
    name: "a model on one's own machine in the Responses API",
    dialect: dialectFor("vllm", "responses", "qwen3"),
    model: "qwen3",
    turn: reasoningAndSecret.map(({ reasoning }) => {
      const item = {
        type: "reasoning",
        summary: [],
        content: [{ type: "reasoning_text", text: reasoning.whole }],
      };
      return {
        sent: response([{ item: { ...item, id: "rs_1" }, deltas: contentDeltas(reasoning.parts) }, {
          item: responsesText,
        }]),
        wanted: { items: [item, { ...responsesText, role: "assistant" }] },
      };
    }),
  },
  {
    name: "Claude in its own language",
    dialect: anthropic,
    model: "anthropic/claude-opus-5.5",
    turn: reasoningAndSecret.map(({ reasoning, secret }) => ({
      sent: native([thinking(reasoning.parts, `claude ${secret}`), answer]),
      wanted: {
        role: "assistant",
        content: [{ type: "thinking", thinking: reasoning.whole, signature: `claude ${secret}` }, text],
      },
    })),
  },
  {
    name: "another model in Anthropic's language",
    dialect: anthropic,
    model: "minimax/minimax-m3",
    turn: fc.tuple(reasoningAndSecret, fc.boolean()).map(([{ reasoning, secret }, signed]) => ({
      sent: native([thinking(reasoning.parts, signed ? secret : undefined), answer]),
      wanted: {
        role: "assistant",
        content: [
          { type: "thinking", thinking: reasoning.whole, ...(signed && { signature: secret }) },
          text,
        ],
      },
    })),
  },
  {
    name: "another model in Anthropic's language, as OpenRouter says it",
    dialect: anthropic,
    model: "z-ai/glm-5",
    turn: fc.tuple(reasoningAndSecret, fc.boolean()).map(([{ reasoning, secret }, readable]) => {
      const data = writeOpenRouterReasoning(
        readable
          ? { type: "reasoning.text", text: reasoning.whole, format: "unknown" }
          : { type: "reasoning.encrypted", data: secret, format: "unknown" },
      );
      const block = { type: "redacted_thinking", data };
      return {
        sent: native([{ block }, answer]),
        wanted: { role: "assistant", content: [block, text] },
      };
    }),
  },
];

/** Returns the answer in a request of any API: its message, or its items. */
export function answerIn({ messages, input }: Wire): Wire {
  const isAnswer = ({ type, role }: Wire) =>
    role === "assistant" || type === "reasoning" || type === "function_call";
  return messages?.find(({ role }: Wire) => role === "assistant") ?? { items: input.filter(isAnswer) };
}

let ids = 0;

/** Creates the context of a turn with this model. */
export function toContext(model: string): TurnContext & { loss: LossReport } {
  return {
    model,
    origin: model,
    alias: "m",
    facts: {},
    inputTokens: 1,
    newId: (prefix) => `${prefix}${ids++}`,
    loss: new LossReport(),
  };
}

/** Returns the content that a client receives of an answer. */
export function readContent(
  { dialect, model }: Pick<Family, "dialect" | "model">,
  sent: readonly Wire[],
  fields: Wire = {},
): Wire[] {
  const request = parseMessagesRequest({
    model: "m",
    max_tokens: 9,
    messages: [{ role: "user", content: "?" }],
    ...fields,
  });
  const reader = dialect.createReader(request, toContext(model));
  for (const event of sent) {
    reader.push({ event: event.type, data: JSON.stringify(event) });
  }
  reader.end();
  return foldEvents(reader.take()).content;
}
