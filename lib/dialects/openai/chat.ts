import type { CacheControl } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../base/json.ts";
import type { TurnContext } from "../dialect.ts";
import type { ToolNames } from "../offered_tools/tool_names.ts";

/** Features of a chat completions host. Each field is a point on which hosts differ. */
export interface ChatFeatures {
  /**
   * Request field that controls thinking. OpenRouter has `reasoning`, OpenAI has `reasoning_effort`. `switch` means
   * DeepSeek's pair: `thinking` turns it on or off, `reasoning_effort` sets the effort. `none` means no such field.
   */
  thinking: "reasoning" | "reasoning_effort" | "switch" | "none";
  /** Accepted values of `reasoning_effort`. */
  efforts: readonly string[];
  /** True if a model can be forced to call a tool while it thinks. */
  forcedWhileThinking: boolean;
  /** Accepted tool choices. Some hosts cannot force a tool. */
  toolChoices: readonly ("auto" | "none" | "forced")[];
  /** True if the host accepts `reasoning_details` on earlier messages. */
  reasoningDetails: boolean;
  /** True if tool calls may arrive in the text because the host does not parse them. */
  callsInText: boolean;
  /** True if calls carry their signature in `extra_content.google.thought_signature`, in both directions. */
  thoughtSignatures: boolean;
  /** True if the host accepts `cache_control` on parts and tools. */
  cacheControl: boolean;
  topK: boolean;
  /** Pattern of accepted call ids. Undefined if the host accepts any id. */
  callIds: RegExp | undefined;
  /** True if earlier calls need a signature. A placeholder is accepted for calls of other models. */
  needsSignedCalls: boolean;
  /** Earlier answers that need `reasoning_content`, even if they had no reasoning. */
  reasoningContent: "none" | "with calls" | "always";
  /** True if `session_id` keeps a conversation on one provider. */
  sessionId: boolean;
  /** Request field that limits the tokens of the answer. */
  maxTokensField: "max_tokens" | "max_completion_tokens";
  /** True if the host accepts `stream_options.include_usage`. Other hosts send usage by default or never. */
  streamOptions: boolean;
  /** Accepted sources of `file` parts. */
  files: readonly ("base64" | "url")[];
  parallelToolCalls: boolean;
  /**
   * Strongest `response_format` that the host accepts. Without `json_schema`, a forced tool or an instruction carries
   * the schema.
   */
  format: "json_schema" | "json_object" | "none";
  /**
   * Schemas that can be strict. `subset` means OpenAI's subset of JSON Schema: closed objects, all properties required.
   * Other schemas are sent as not strict.
   */
  strictSchemas: "any" | "subset" | "none";
}

/** Turn context with the features of the host, adjusted for the model. */
export interface HostContext extends TurnContext {
  features: ChatFeatures;
  /** Tool names that the host accepts. */
  names: ToolNames;
}

/** Context for building a request. */
export interface ChatContext extends HostContext {
  /** Keys of the reasoning details that the request holds so far. */
  sentReasoning: Set<unknown>;
}

/** A message of a chat completion request. */
export interface ChatMessage extends JsonObject {
  role: "system" | "user" | "assistant" | "tool";
  content: string | readonly ChatPart[] | null;
}

/** A part of a chat message. */
export type ChatPart =
  | { type: "text"; text: string; cache_control?: CacheControl }
  | { type: "thinking"; thinking: JsonObject[]; cache_control?: never }
  | { type: "image_url"; image_url: { url: string }; cache_control?: CacheControl }
  | { type: "file"; file: JsonObject; cache_control?: CacheControl };

/** Returns the block's `cache_control` to spread into a part, or `{}` if the host does not accept it. */
export function cacheControlOf(
  block: { cache_control?: CacheControl | null | undefined },
  { features }: ChatContext,
): { cache_control?: CacheControl } {
  return block.cache_control && features.cacheControl ? { cache_control: block.cache_control } : {};
}

/** Returns the part for a text of a block. */
export function toTextPart(
  text: string,
  block: { cache_control?: CacheControl | null | undefined },
  { features }: ChatContext,
): Extract<ChatPart, { type: "text" }> {
  return block.cache_control && features.cacheControl
    ? { type: "text", text, cache_control: block.cache_control }
    : { type: "text", text };
}

/** Reports the citations of a text as dropped. Chat completions requests cannot carry them. */
export function reportCitations({ citations }: JsonObject, path: string, { loss }: ChatContext): void {
  if (Array.isArray(citations) && citations.length > 0) loss.add(`${path}.citations`, "dropped");
}
