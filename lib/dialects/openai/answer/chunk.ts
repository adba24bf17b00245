import * as v from "valibot";

/**
 * What is read of a chat completion, whole or in chunks: only the fields in use, and none of them relied upon.
 * Source: https://openrouter.ai/docs/api-reference/streaming, and what its and other hosts really send.
 */

/** A number, if the host is right. */
const Count = v.optional(v.unknown());
const OptionalText = v.nullish(v.string());

const ToolCall = v.looseObject({
  index: v.nullish(v.number()),
  id: OptionalText,
  function: v.nullish(v.looseObject({ name: OptionalText, arguments: v.optional(v.unknown()) })),
  /** Where Gemini's own endpoint signs a call. */
  extra_content: v.optional(v.unknown()),
});
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
export type ReasoningDetail = v.InferOutput<typeof ReasoningDetail>;

const ChatDelta = v.looseObject({
  /** Text, or a list of parts. */
  content: v.nullish(v.union([v.string(), v.array(v.looseObject({ type: OptionalText }))])),
  reasoning: OptionalText,
  reasoning_content: OptionalText,
  reasoning_details: v.nullish(v.array(ReasoningDetail)),
  /** The sources of a search. */
  annotations: v.optional(v.unknown()),
  refusal: OptionalText,
  tool_calls: v.nullish(v.array(ToolCall)),
});
export type ChatDelta = v.InferOutput<typeof ChatDelta>;

const ServerTools = v.nullish(v.looseObject({ web_search_requests: Count }));

const Usage = v.looseObject({
  prompt_tokens: Count,
  completion_tokens: Count,
  total_tokens: Count,
  cost: v.optional(v.unknown()),
  prompt_tokens_details: v.nullish(v.looseObject({ cached_tokens: Count, cache_write_tokens: Count })),
  completion_tokens_details: v.nullish(v.looseObject({ reasoning_tokens: Count })),
  server_tool_use_details: ServerTools,
  server_tool_use: ServerTools,
  /** Other words for what a cache was read for, and written. */
  prompt_cache_hit_tokens: Count,
  cached_tokens: Count,
  cache_read_input_tokens: Count,
  cache_creation_input_tokens: Count,
});
export type ChatUsage = v.InferOutput<typeof Usage>;

const Choice = v.looseObject({
  index: v.nullish(v.number()),
  delta: v.nullish(ChatDelta),
  message: v.nullish(ChatDelta),
  finish_reason: OptionalText,
  native_finish_reason: OptionalText,
  /** vLLM's own field: the stop sequence that was met. */
  stop_reason: v.optional(v.unknown()),
  error: v.optional(v.unknown()),
  /** Moonshot's place for it. */
  usage: v.nullish(Usage),
});
export type Choice = v.InferOutput<typeof Choice>;

/** A chat completion, or a chunk of one. */
export const Chunk = v.looseObject({
  choices: v.nullish(v.array(Choice)),
  usage: v.nullish(Usage),
  x_groq: v.nullish(v.looseObject({ usage: v.nullish(Usage) })),
});
export type Chunk = v.InferOutput<typeof Chunk>;
