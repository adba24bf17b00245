import * as v from "valibot";

// Schema of a chat completion, whole or in chunks. It has only the fields in use, and all are optional.
// Source: https://openrouter.ai/docs/api-reference/streaming, and recorded answers of OpenRouter and other hosts.

/** A number of tokens or requests. Not validated here, because a wrong count must not fail the answer. */
const Count = v.optional(v.unknown());
const OptionalText = v.nullish(v.string());

const ToolCall = v.looseObject({
  index: v.nullish(v.number()),
  id: OptionalText,
  function: v.nullish(v.looseObject({ name: OptionalText, arguments: v.optional(v.unknown()) })),
  /** Signature of a call from Gemini's own endpoint. */
  extra_content: v.optional(v.unknown()),
});
/** A tool call, or a piece of one. */
export type ToolCallDelta = v.InferOutput<typeof ToolCall>;

const ReasoningDetail = v.looseObject({
  type: OptionalText,
  text: OptionalText,
  summary: OptionalText,
  data: OptionalText,
  signature: OptionalText,
  id: OptionalText,
  index: v.nullish(v.number()),
  format: OptionalText,
});
/** An entry of OpenRouter's `reasoning_details`, or a piece of one. */
export type ReasoningDetail = v.InferOutput<typeof ReasoningDetail>;

const ChatDelta = v.looseObject({
  /** Text, or a list of parts. */
  content: v.nullish(v.union([v.string(), v.array(v.looseObject({ type: OptionalText }))])),
  reasoning: OptionalText,
  reasoning_content: OptionalText,
  reasoning_details: v.nullish(v.array(ReasoningDetail)),
  /** Citations of a web search. */
  annotations: v.optional(v.unknown()),
  refusal: OptionalText,
  tool_calls: v.nullish(v.array(ToolCall)),
});
/** A message, or a piece of one. */
export type ChatDelta = v.InferOutput<typeof ChatDelta>;

const ServerTools = v.nullish(v.looseObject({ web_search_requests: Count }));

const Usage = v.looseObject({
  prompt_tokens: Count,
  completion_tokens: Count,
  total_tokens: Count,
  cost: v.optional(v.unknown()),
  prompt_tokens_details: v.nullish(
    v.looseObject({ cached_tokens: Count, cache_write_tokens: Count, audio_tokens: Count }),
  ),
  completion_tokens_details: v.nullish(v.looseObject({ reasoning_tokens: Count })),
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
  index: v.nullish(v.number()),
  delta: v.nullish(ChatDelta),
  message: v.nullish(ChatDelta),
  finish_reason: OptionalText,
  native_finish_reason: OptionalText,
  /** vLLM's field: the stop sequence that ended the answer. */
  stop_reason: v.optional(v.unknown()),
  error: v.optional(v.unknown()),
  /** Usage, as Moonshot sends it. */
  usage: v.nullish(Usage),
});
/** One of the choices of a completion. */
export type Choice = v.InferOutput<typeof Choice>;

/** A chat completion, or a chunk of one. */
export const Chunk = v.looseObject({
  choices: v.nullish(v.array(Choice)),
  usage: v.nullish(Usage),
  /** Cost, as Venice sends it. */
  cost: v.optional(v.unknown()),
  x_groq: v.nullish(v.looseObject({ usage: v.nullish(Usage) })),
});
export type Chunk = v.InferOutput<typeof Chunk>;
