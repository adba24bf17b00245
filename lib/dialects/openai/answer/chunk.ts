import * as v from "valibot";
import { isObject, type JsonObject } from "../../../base/json.ts";

// Schema of a chat completion, whole or in chunks. It has only the fields in use, and all are optional. A field of
// another type is left out: one odd field must not fail an answer whose meaning is clear.
// Source: https://openrouter.ai/docs/api-reference/streaming, and recorded answers of OpenRouter and other hosts.

/** A field that is left out if it is of another type. */
const optional = <Schema extends v.GenericSchema>(schema: Schema) => v.fallback(v.nullish(schema), undefined);

/** A number of tokens or requests. Not validated here, because a wrong count must not fail the answer. */
const Count = v.optional(v.unknown());
const OptionalText = optional(v.string());
const Index = optional(v.union([v.number(), v.pipe(v.string(), v.digits(), v.transform(Number))]));
const Id = optional(v.union([v.string(), v.pipe(v.number(), v.transform(String))]));

/**
 * Reason to finish: a word, or SGLang's object of a word and a message. Older hosts send the text `"null"` until the
 * end.
 */
const FinishReason = v.optional(v.pipe(v.unknown(), v.transform(toFinishReason)), undefined);

/** A list. A single item and an object by index count as a list, and items that are no objects are left out. */
function listOf<Schema extends v.GenericSchema>(item: Schema) {
  const toList = (value: unknown): v.InferOutput<Schema>[] =>
    [fromIndexed(value)].flat().filter(isObject).map((one) => v.parse(item, one));
  return v.optional(v.pipe(v.unknown(), v.transform(toList)), undefined);
}

/** Converts an object whose members are items by index, as some hosts send lists. */
function fromIndexed(value: unknown): unknown {
  const entries = isObject(value) ? Object.entries(value) : [];
  if (entries.length === 0 || !entries.every(([index]) => /^\d{1,4}$/.test(index))) return value;
  return entries.map(([index, item]) => isObject(item) ? { index: Number(index), ...item } : item);
}

const ToolCall = v.pipe(
  v.custom<JsonObject>(isObject),
  v.transform(withFunction),
  v.looseObject({
    index: Index,
    id: Id,
    function: optional(v.looseObject({ name: OptionalText, arguments: v.optional(v.unknown()) })),
    /** Signature of a call from Gemini's own endpoint. */
    extra_content: v.optional(v.unknown()),
  }),
);
/** A tool call, or a piece of one. */
export type ToolCallDelta = v.InferOutput<typeof ToolCall>;

const DetailFields = v.looseObject({
  type: v.nullish(v.string()),
  text: v.nullish(v.string()),
  summary: v.nullish(v.string()),
  data: v.nullish(v.string()),
  signature: v.nullish(v.string()),
  id: v.nullish(v.string()),
  index: v.nullish(v.number()),
  format: v.nullish(v.string()),
});
/** A detail is returned to the upstream, so it stays as it is. Only odd fields are left out. */
const ReasoningDetail = v.pipe(
  v.custom<JsonObject>(isObject),
  v.transform(withoutOddFields),
  v.custom<v.InferOutput<typeof DetailFields>>((detail) => v.is(DetailFields, detail)),
);
/** An entry of OpenRouter's `reasoning_details`, or a piece of one. */
export type ReasoningDetail = v.InferOutput<typeof ReasoningDetail>;

/** Reasoning as a text, or as an object or a list of objects that hold one. */
const ReasoningText = v.optional(v.pipe(v.unknown(), v.transform(toReasoningText)), undefined);

const ChatDelta = v.looseObject({
  /** Text, a list of parts, or a value that is the answer itself. */
  content: v.optional(v.unknown()),
  reasoning: ReasoningText,
  reasoning_content: ReasoningText,
  /** Reasoning under the names of Copilot and of Ollama's own API. */
  reasoning_text: ReasoningText,
  thinking: ReasoningText,
  reasoning_details: listOf(ReasoningDetail),
  /** Reasoning in Anthropic's form, which LiteLLM sends beside `reasoning_content`. */
  thinking_blocks: ReasoningText,
  /** Citations of a web search. */
  annotations: v.optional(v.unknown()),
  refusal: OptionalText,
  tool_calls: listOf(ToolCall),
  /** A call in the older form, without an id. */
  function_call: optional(v.looseObject({ name: OptionalText, arguments: v.optional(v.unknown()) })),
  /** Images of a model that draws. */
  images: v.optional(v.unknown()),
  /** Sound of a model that talks, with its words. */
  audio: v.optional(v.unknown()),
  /** Video of a model that makes one. */
  video: v.optional(v.unknown()),
});
/** A message, or a piece of one. */
export type ChatDelta = v.InferOutput<typeof ChatDelta>;

const ServerTools = optional(v.looseObject({ web_search_requests: Count }));

const Usage = v.looseObject({
  prompt_tokens: Count,
  completion_tokens: Count,
  total_tokens: Count,
  cost: v.optional(v.unknown()),
  prompt_tokens_details: optional(
    v.looseObject({ cached_tokens: Count, cache_write_tokens: Count, audio_tokens: Count }),
  ),
  completion_tokens_details: optional(v.looseObject({ reasoning_tokens: Count })),
  server_tool_use_details: ServerTools,
  server_tool_use: ServerTools,
  /** Cached tokens, read and written, under the names of other hosts. */
  prompt_cache_hit_tokens: Count,
  cached_tokens: Count,
  num_cached_tokens: Count,
  citation_tokens: Count,
  cache_read_input_tokens: Count,
  cache_creation_input_tokens: Count,
});
/** Token counts and cost of a completion. */
export type ChatUsage = v.InferOutput<typeof Usage>;

const Choice = v.looseObject({
  index: Index,
  delta: optional(ChatDelta),
  message: optional(ChatDelta),
  /** Text of the older completions. */
  text: OptionalText,
  finish_reason: FinishReason,
  native_finish_reason: OptionalText,
  /** vLLM's field: the stop sequence that ended the answer. */
  stop_reason: v.optional(v.unknown()),
  error: v.optional(v.unknown()),
  /** Usage, as Moonshot sends it. */
  usage: optional(Usage),
});
/** One of the choices of a completion. */
export type Choice = v.InferOutput<typeof Choice>;

/** A chat completion, or a chunk of one. */
export const Chunk = v.looseObject({
  choices: listOf(Choice),
  usage: optional(Usage),
  /** Cost, as Venice sends it. */
  cost: v.optional(v.unknown()),
  x_groq: optional(v.looseObject({ usage: optional(Usage), error: v.optional(v.unknown()) })),
});
export type Chunk = v.InferOutput<typeof Chunk>;

function withoutOddFields(detail: JsonObject): JsonObject {
  const odd = Object.entries(DetailFields.entries).filter(([name, schema]) => !v.is(schema, detail[name]));
  if (odd.length === 0) return detail;
  const names = odd.map(([name]) => name);
  return Object.fromEntries(Object.entries(detail).filter(([name]) => !names.includes(name)));
}

/** Returns a call with its name and arguments in `function`, where some hosts leave the object out. */
function withFunction(call: JsonObject): JsonObject {
  const { name, arguments: input = call.input ?? call.parameters } = call;
  return isObject(call.function) || (typeof name !== "string" && input === undefined)
    ? call
    : { ...call, function: { name, arguments: input } };
}

function toFinishReason(value: unknown): string | undefined {
  if (isObject(value)) {
    const { type, message } = value;
    return typeof type === "string" ? [type, message].filter(Boolean).join(": ") : undefined;
  }
  if (typeof value === "number") return String(value);
  return typeof value === "string" && !/^(null|none)$/i.test(value) ? value : undefined;
}

function toReasoningText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(toReasoningText).join("") || undefined;
  return isObject(value)
    ? toReasoningText(value.text ?? value.content ?? value.summary ?? value.thinking)
    : undefined;
}
