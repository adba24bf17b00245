import type { CacheControl, ContentBlock } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../base/json.ts";
import type { TurnContext } from "../dialect.ts";
import type { ToolNames } from "./tool_names.ts";

/** What a host of chat completions takes and gives; each field is a habit that some host has and another has not. */
export interface ChatFeatures {
  /**
   * How a request says how much to think: OpenRouter's `reasoning`, OpenAI's `reasoning_effort`, that beside DeepSeek's
   * `thinking`, which switches it on and off, or not at all.
   */
  thinking: "reasoning" | "reasoning_effort" | "switch" | "none";
  /** What `reasoning_effort` may be. */
  efforts: readonly string[];
  /** Whether a model that thinks can be made to call a tool. */
  forcedWhileThinking: boolean;
  /** The choices of tools that are taken: some know no way to force one. */
  toolChoices: readonly ("auto" | "none" | "forced")[];
  /** Whether `reasoning_details` on earlier messages are understood. */
  reasoningDetails: boolean;
  /** Whether reasoning comes inside the text, between `<think>` and `</think>`. */
  thinkTags: boolean;
  /** Whether calls of tools may come inside the text, because the host does not know them for what they are. */
  callsInText: boolean;
  /** Whether a call's signature comes and goes in `extra_content.google.thought_signature`. */
  thoughtSignatures: boolean;
  /** Whether `cache_control` on parts and tools is understood. */
  cacheControl: boolean;
  topK: boolean;
  /** What the id of a call may be; anything, where nothing is said. */
  callIds: RegExp | undefined;
  /** Whether earlier calls need a signature, be it one that says that there is none. */
  signedCalls: boolean;
  /** Which earlier answers need `reasoning_content`, be there nothing in it. */
  reasoningContent: "none" | "of calls" | "of all";
  /** Whether `session_id` keeps a conversation with one provider. */
  sessionId: boolean;
  /** The field that limits the answer. */
  maxTokensField: "max_tokens" | "max_completion_tokens";
  /** Whether `stream_options.include_usage` is understood; where it is not, usage comes unasked or not at all. */
  streamOptions: boolean;
  /** The sources that parts of the type `file` may have. */
  files: readonly ("base64" | "url")[];
  parallelToolCalls: boolean;
  /** How an answer is held to a schema: `json_schema`, `json_object` alone, or by a forced tool. */
  format: "json_schema" | "json_object" | "none";
  /** The keywords of JSON Schema that make the host refuse a request. */
  refusedKeywords: readonly string[];
  /** The values of the keyword `format` that it takes; all, where nothing is said. */
  takenFormats: readonly string[] | undefined;
}

/** A turn, and what the host takes. */
export interface HostContext extends TurnContext {
  features: ChatFeatures;
  /** The tools' names, as the host takes them. */
  names: ToolNames;
}

/** What the saying of a request needs. */
export interface ChatContext extends HostContext {
  /** The reasoning that has been said so far in the conversation. */
  sentReasoning: Set<unknown>;
}

/** A block, and where it stands in the client's request. */
export interface LocatedBlock<Block = ContentBlock> {
  block: Block;
  path: string;
}

/** A message of a chat completion request. */
export interface ChatMessage extends JsonObject {
  role: "system" | "user" | "assistant" | "tool";
  content: string | ChatPart[] | null;
}

/** A part of a chat message. */
export type ChatPart =
  | { type: "text"; text: string; cache_control?: CacheControl }
  | { type: "thinking"; thinking: JsonObject[]; cache_control?: never }
  | { type: "image_url"; image_url: { url: string }; cache_control?: CacheControl }
  | { type: "file"; file: JsonObject; cache_control?: CacheControl };

/** Notes where each block of a content stands. */
export function locateBlocks(content: readonly ContentBlock[], path: string): LocatedBlock[] {
  return content.map((block, at) => ({ block, path: `${path}.${at}` }));
}

/** A mark for the cache, where the host takes one. */
export function cacheControlOf(
  block: { cache_control?: CacheControl | null | undefined },
  { features }: ChatContext,
): { cache_control?: CacheControl } {
  return block.cache_control && features.cacheControl ? { cache_control: block.cache_control } : {};
}

/** Reports the sources that a text names: chat completions cannot be told of them. */
export function reportCitations({ citations }: JsonObject, path: string, { loss }: ChatContext): void {
  if (Array.isArray(citations) && citations.length > 0) loss.add(`${path}.citations`, "dropped");
}
