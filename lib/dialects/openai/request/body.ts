import type { Content, MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { toAssistantMessage } from "./assistant.ts";
import type { ChatContext, ChatMessage, ChatPart } from "../chat.ts";
import { isBillingBlock } from "../../request/billing_block.ts";
import { locateBlocks, type LocatedBlock } from "../../request/located_block.ts";
import { toReasoning } from "./effort.ts";
import { findOutputFormat, toFormatInstruction, toResponseFormat } from "./format.ts";
import { withoutForcedThinking } from "./forced_choice.ts";
import { reportRequestFields, reportUnsentFields } from "../../request/report_losses.ts";
import { toParts } from "./parts.ts";
import { ResultPlacer } from "./place_results.ts";
import { toSampling } from "./sampling.ts";
import { toTools } from "./tools.ts";

/** Converts a Messages request to a chat completion request, which always asks for a stream. */
export function toChatRequest(request: MessagesRequest, context: ChatContext): JsonObject {
  const { features, loss, sessionId } = context;
  reportRequestFields(request, loss);
  const { cache_control } = request;
  if (cache_control && !features.cacheControl) loss.add("cache_control", "dropped");
  const tools = toTools(request, context);
  const body = {
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
  reportUnsentFields(request, loss);
  return body;
}

function toChatMessages(request: MessagesRequest, context: ChatContext): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const add = (message: ChatMessage | undefined) => message && messages.push(message);
  add(toSystemMessage(request.system ?? [], "system", context));
  const instruction = toFormatInstruction(findOutputFormat(request, context));
  if (instruction !== undefined) add({ role: "system", content: instruction });
  const results = new ResultPlacer(request.messages, context);
  const userContext = { ...context, results };
  request.messages.forEach(({ role, content }, at) => {
    const path = `messages.${at}.content`;
    switch (role) {
      case "system":
        return add(toSystemMessage(content, path, context));
      case "assistant":
        add(toAssistantMessage(content, path, context));
        return results.resultMessages(at).forEach(add);
      case "user":
        return add(toUserMessage(content, path, userContext));
    }
  });
  return messages;
}

/** Converts system content, at any position, to one message. Returns none if the content is empty. */
function toSystemMessage(content: Content, path: string, context: ChatContext): ChatMessage | undefined {
  if (typeof content === "string") return content === "" ? undefined : { role: "system", content };
  const parts = toParts(locateBlocks(content, path).filter(({ block }) => !isBillingBlock(block)), context);
  return parts.length === 0 ? undefined : { role: "system", content: joinSystemText(parts) };
}

/** Joins the parts to plain text unless one has `cache_control`: not every host accepts parts here. */
function joinSystemText(parts: ChatPart[]): string | ChatPart[] {
  const texts = parts.map((part) => part.type === "text" && !part.cache_control ? part.text : undefined);
  return texts.every((text) => text !== undefined) ? texts.join("\n\n") : parts;
}

/** Converts a user's content without its tool results, which `ResultPlacer` puts after their calls. */
function toUserMessage(
  content: Content,
  path: string,
  context: ChatContext & { results: ResultPlacer },
): ChatMessage | undefined {
  if (typeof content === "string") return { role: "user", content };
  const hoisted: ChatPart[] = [];
  const others: LocatedBlock[] = [];
  for (const located of locateBlocks(content, path)) {
    if (located.block.type !== "tool_result") others.push(located);
    else for (const part of context.results.remainderOf(located)) hoisted.push(part);
  }
  const parts = others.length === 0 ? hoisted : hoisted.concat(toParts(others, context));
  if (parts.length === 0) return undefined;
  const [only] = parts;
  const plain = parts.length === 1 && only?.type === "text" && !only.cache_control;
  return { role: "user", content: plain ? only.text : parts };
}
