import type { CacheControl } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../json.ts";

/** What a host of chat completions takes beyond OpenAI's own fields. */
export interface ChatFeatures {
  /** `reasoning` in requests, `reasoning_details` on messages. */
  reasoning: boolean;
  /** `cache_control` on parts and tools. */
  cacheControl: boolean;
  /** `top_k`. */
  topK: boolean;
  /** `session_id`, which keeps a conversation with one provider. */
  sessionId: boolean;
}

/** A message of a chat completion request. */
export interface ChatMessage extends JsonObject {
  role: "system" | "user" | "assistant" | "tool";
  content: string | ChatPart[] | null;
}

/** A part of a chat message. */
export type ChatPart =
  | { type: "text"; text: string; cache_control?: CacheControl }
  | { type: "image_url"; image_url: { url: string }; cache_control?: CacheControl }
  | { type: "file"; file: JsonObject; cache_control?: CacheControl };

/** A mark for the cache, where the host takes one. */
export function toCacheControl(
  block: { cache_control?: CacheControl | null | undefined },
  features: ChatFeatures,
): { cache_control?: CacheControl } {
  return block.cache_control && features.cacheControl ? { cache_control: block.cache_control } : {};
}
