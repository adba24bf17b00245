import type { Content, ContentBlock, MessagesRequest } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../json.ts";
import type { LossReport } from "../../loss.ts";
import type { TurnContext } from "../dialect.ts";
import { toAssistantMessage } from "./assistant.ts";
import type { ChatFeatures, ChatMessage, ChatPart } from "./chat.ts";
import { toReasoning } from "./effort.ts";
import { createPathOf, toParts } from "./parts.ts";
import { toToolMessages } from "./tool_results.ts";
import { toTools } from "./tools.ts";

/** Claude Code's first system block changes with every conversation, so it would defeat any prompt cache. */
const BILLING = "x-anthropic-billing-header";

/** The most stop sequences that chat completions take. */
const MAX_STOPS = 4;

/** Fields that are said in other words, or concern the gateway alone. */
const TRANSLATED = new Set([
  "model",
  "messages",
  "system",
  "max_tokens",
  "stream",
  "stop_sequences",
  "temperature",
  "top_p",
  "top_k",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "output_format",
  "metadata",
  "cache_control",
]);

/** Says a request of Anthropic's API as a chat completion request, always a streamed one. */
export function toChatRequest(
  request: MessagesRequest,
  context: TurnContext,
  features: ChatFeatures,
): JsonObject {
  const { loss } = context;
  for (const [field, value] of Object.entries(request)) {
    if (!TRANSLATED.has(field) && value !== null && value !== undefined) loss.add(field, "dropped");
  }
  const { temperature, top_p, top_k, stop_sequences: stops, cache_control } = request;
  stops?.forEach((_stop, at) => at >= MAX_STOPS && loss.add(`stop_sequences.${at}`, "dropped"));
  if (typeof top_k === "number" && !features.topK) loss.add("top_k", "dropped");
  if (cache_control && !features.cacheControl) loss.add("cache_control", "dropped");
  return {
    model: context.model,
    messages: toChatMessages(request, context, features),
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: request.max_tokens,
    ...(stops?.length && { stop: stops.slice(0, MAX_STOPS) }),
    ...(typeof temperature === "number" && { temperature }),
    ...(typeof top_p === "number" && { top_p }),
    ...(typeof top_k === "number" && features.topK && { top_k }),
    ...(cache_control && features.cacheControl && { cache_control }),
    ...(context.sessionId && features.sessionId && { session_id: context.sessionId }),
    ...toTools(request, features, loss),
    ...toResponseFormat(request, loss),
    ...toReasoning(request, features, loss),
  };
}

function toChatMessages(
  request: MessagesRequest,
  context: TurnContext,
  features: ChatFeatures,
): ChatMessage[] {
  const system = toSystemMessage(request.system ?? [], "system", features, context.loss);
  const rest = request.messages.flatMap(({ role, content }, at): ChatMessage[] => {
    const path = `messages.${at}.content`;
    switch (role) {
      case "system":
        return toSystemMessage(content, path, features, context.loss);
      case "assistant":
        return toAssistantMessage(content, path, context, features);
      case "user":
        return toUserMessages(content, path, features, context.loss);
    }
  });
  return [...system, ...rest];
}

/** System text as one message, wherever it stands; none where there is nothing to say. */
function toSystemMessage(
  content: Content,
  path: string,
  features: ChatFeatures,
  loss: LossReport,
): ChatMessage[] {
  if (typeof content === "string") return content === "" ? [] : [{ role: "system", content }];
  const blocks = content.filter((block) => !isBillingBlock(block));
  const parts = toParts(blocks, createPathOf(content, path), features, loss);
  return parts.length === 0 ? [] : [{ role: "system", content: toSystemContent(parts) }];
}

/** Plain text where no part is marked for the cache: not every host takes parts here. */
function toSystemContent(parts: ChatPart[]): string | ChatPart[] {
  const texts = parts.map((part) => part.type === "text" && !part.cache_control ? part.text : undefined);
  return texts.every((text) => text !== undefined) ? texts.join("\n\n") : parts;
}

function isBillingBlock(block: ContentBlock): boolean {
  return block.type === "text" && typeof block.text === "string" && block.text.startsWith(BILLING);
}

/** A user's turn: tool results first, each a message of its own, then whatever else the user says. */
function toUserMessages(
  content: Content,
  path: string,
  features: ChatFeatures,
  loss: LossReport,
): ChatMessage[] {
  if (typeof content === "string") return [{ role: "user", content }];
  const at = createPathOf(content, path);
  const { messages, hoisted } = toToolMessages(content, at, features, loss);
  const own = toParts(content.filter((block) => block.type !== "tool_result"), at, features, loss);
  const parts = [...hoisted, ...own];
  if (parts.length === 0) return messages;
  const [only] = parts;
  const plain = parts.length === 1 && only?.type === "text" && !only.cache_control;
  return [...messages, { role: "user", content: plain ? only.text : parts }];
}

function toResponseFormat({ output_config, output_format }: MessagesRequest, loss: LossReport): JsonObject {
  const format = output_config?.format ?? output_format;
  if (format?.type === "json_schema" && format.schema !== undefined) {
    const json_schema = { name: "answer", strict: true, schema: format.schema };
    return { response_format: { type: "json_schema", json_schema } };
  }
  if (format) loss.add(output_config?.format ? "output_config.format" : "output_format", "dropped");
  return {};
}
