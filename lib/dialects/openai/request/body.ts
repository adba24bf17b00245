import type { Content, MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { toAssistantMessage } from "./assistant.ts";
import type { ChatContext, ChatMessage, ChatPart } from "../chat.ts";
import { isBillingBlock } from "../../request/billing_block.ts";
import { ContentOfMessage, locateBlock, locateBlocks, type Place } from "../../request/located_block.ts";
import { toReasoning } from "./effort.ts";
import { findOutputFormat, toFormatInstruction, toResponseFormat } from "./format.ts";
import { withoutForcedThinking } from "./forced_choice.ts";
import { reportRequestFields, reportUnsentFields } from "../../request/report_losses.ts";
import { addParts, toParts } from "./parts.ts";
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
  add(toSystemMessage(request.system ?? [], SYSTEM, context));
  const instruction = toFormatInstruction(findOutputFormat(request, context));
  if (instruction !== undefined) add({ role: "system", content: instruction });
  const results = new ResultPlacer(request.messages, context);
  const userContext = { ...context, results };
  for (let at = 0; at < request.messages.length; at++) {
    const message = request.messages[at];
    if (message === undefined) continue;
    const { role, content } = message;
    const place = new ContentOfMessage(at);
    switch (role) {
      case "system":
        add(toSystemMessage(content, place, context));
        break;
      case "assistant":
        add(toAssistantMessage(content, place, context));
        results.addResults(at, messages);
        break;
      case "user":
        add(toUserMessage(content, place, userContext));
    }
  }
  return messages;
}

const SYSTEM: Place = { path: "system" };

/** Converts system content, at any position, to one message. Returns none if the content is empty. */
function toSystemMessage(content: Content, place: Place, context: ChatContext): ChatMessage | undefined {
  if (typeof content === "string") return content === "" ? undefined : { role: "system", content };
  const parts = toParts(locateBlocks(content, place).filter(({ block }) => !isBillingBlock(block)), context);
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
  place: ContentOfMessage,
  context: ChatContext & { results: ResultPlacer },
): ChatMessage | undefined {
  if (typeof content === "string") return { role: "user", content };
  let parts = context.results.remainderOf(content, place);
  for (let nth = 0; nth < content.length; nth++) {
    const block = content[nth];
    if (block && block.type !== "tool_result") {
      parts = addParts(parts, locateBlock(block, place, nth), context);
    }
  }
  if (parts === undefined || parts.length === 0) return undefined;
  const [only] = parts;
  const plain = parts.length === 1 && only?.type === "text" && !only.cache_control;
  return { role: "user", content: plain ? only.text : parts };
}
