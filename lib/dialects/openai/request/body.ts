import type { Content, ContentBlock, MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { toAssistantMessage } from "./assistant.ts";
import { type ChatContext, type ChatMessage, type ChatPart, place } from "../chat.ts";
import { toReasoning } from "./effort.ts";
import { findFormat, toFormatWords, toResponseFormat } from "./format.ts";
import { withoutForcedThinking } from "./forced_choice.ts";
import { reportFields, reportLeftovers } from "./report_losses.ts";
import { toParts } from "./parts.ts";
import { Results } from "./place_results.ts";
import { toSampling } from "./sampling.ts";
import { toTools } from "./tools.ts";

/** Claude Code's first system block changes with every conversation, so it would defeat any prompt cache. */
const BILLING = "x-anthropic-billing-header";

/** Says a request of Anthropic's API as a chat completion request, always a streamed one. */
export function toChatRequest(request: MessagesRequest, context: ChatContext): JsonObject {
  const { features, loss, sessionId } = context;
  reportFields(request, loss);
  const { cache_control } = request;
  if (cache_control && !features.cacheControl) loss.add("cache_control", "dropped");
  const tools = toTools(request, context);
  const said = {
    model: context.model,
    messages: toChatMessages(request, context),
    stream: true,
    ...(features.streamOptions && { stream_options: { include_usage: true } }),
    ...(cache_control && features.cacheControl && { cache_control }),
    ...(sessionId && features.sessionId && { session_id: sessionId }),
    ...toSampling(request, context),
    ...tools,
    ...toResponseFormat(request, context),
    ...toReasoning(withoutForcedThinking(request, tools, context), context),
  };
  reportLeftovers(request, loss);
  return said;
}

function toChatMessages(request: MessagesRequest, context: ChatContext): ChatMessage[] {
  const system = toSystemMessage(request.system ?? [], "system", context);
  const words = toFormatWords(findFormat(request, context));
  if (words !== undefined) system.push({ role: "system", content: words });
  const results = new Results(request.messages, context);
  const rest = request.messages.flatMap(({ role, content }, at): ChatMessage[] => {
    const path = `messages.${at}.content`;
    switch (role) {
      case "system":
        return toSystemMessage(content, path, context);
      case "assistant":
        return [...toAssistantMessage(content, path, context), ...results.answersTo(at)];
      case "user":
        return toUserMessage(content, path, { ...context, results });
    }
  });
  return [...system, ...rest];
}

/** System text as one message, wherever it stands; none where there is nothing to say. */
function toSystemMessage(content: Content, path: string, context: ChatContext): ChatMessage[] {
  if (typeof content === "string") return content === "" ? [] : [{ role: "system", content }];
  const parts = toParts(place(content, path).filter(({ block }) => !isBillingBlock(block)), context);
  return parts.length === 0 ? [] : [{ role: "system", content: toSystemContent(parts) }];
}

/** Plain text where no part is marked for the cache: not every host takes parts here. */
function toSystemContent(parts: ChatPart[]): string | ChatPart[] {
  const texts = parts.map((part) => part.type === "text" && !part.cache_control ? part.text : undefined);
  return texts.every((text) => text !== undefined) ? texts.join("\n\n") : parts;
}

function isBillingBlock(block: ContentBlock): boolean {
  return block.type === "text" && block.text.startsWith(BILLING);
}

/** What a user says beside the results of tools, which stand behind their calls by now. */
function toUserMessage(
  content: Content,
  path: string,
  { results, ...context }: ChatContext & { results: Results },
): ChatMessage[] {
  if (typeof content === "string") return [{ role: "user", content }];
  const placed = place(content, path);
  const hoisted = placed.flatMap((one) => results.restOf(one));
  const parts = [...hoisted, ...toParts(placed.filter(({ block }) => block.type !== "tool_result"), context)];
  if (parts.length === 0) return [];
  const [only] = parts;
  const plain = parts.length === 1 && only?.type === "text" && !only.cache_control;
  return [{ role: "user", content: plain ? only.text : parts }];
}
