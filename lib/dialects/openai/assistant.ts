import type { Content, ContentBlock } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../json.ts";
import { isSealed, unseal } from "../envelope.ts";
import { toUpstreamToolId } from "../tool_id.ts";
import { type ChatContext, type ChatMessage, type ChatPart, toCacheControl } from "./chat.ts";
import type { ReasoningField } from "./reasoning.ts";
import { retell } from "./retell.ts";

type TextPart = Extract<ChatPart, { type: "text" }>;

/** Says what the model said earlier: text, reasoning and tool calls are one message. */
export function toAssistantMessage(content: Content, path: string, context: ChatContext): ChatMessage[] {
  if (typeof content === "string") return [{ role: "assistant", content }];
  const texts: TextPart[] = [];
  const calls: JsonObject[] = [];
  const reasoning: JsonObject[] = [];
  content.forEach((block, at) => {
    const marks = block.type === "text" && block.text !== "" && context.features.cacheControl;
    if ("cache_control" in block && block.cache_control && !marks) {
      context.loss.add(`${path}.${at}.cache_control`, "dropped");
    }
    switch (block.type) {
      case "text":
        if (block.text !== "") {
          texts.push({ type: "text", text: block.text, ...toCacheControl(block, context) });
        }
        return;
      case "tool_use":
        calls.push({
          id: toUpstreamToolId(block.id),
          type: "function",
          function: {
            name: context.names.say(block.name, `${path}.${at}.name`, context.loss),
            arguments: JSON.stringify(block.input),
          },
        });
        return;
      case "thinking":
      case "redacted_thinking": {
        const details = toDetails(block, context.model) ?? [];
        const { reasoningDetails } = context.features;
        const kept = reasoningDetails ? details : details.filter((detail) => fieldOf(detail) !== undefined);
        if (kept.length === 0 || kept.length < details.length) context.loss.add(`${path}.${at}`, "dropped");
        reasoning.push(...kept);
        return;
      }
      default: {
        const told = retell(block);
        context.loss.add(`${path}.${at}`, told === undefined ? "dropped" : "approximated");
        if (told !== undefined) {
          texts.push({ type: "text", text: `${texts.length === 0 ? "" : "\n"}${told}\n` });
        }
      }
    }
  });
  const message: ChatMessage = {
    role: "assistant",
    content: texts.length === 0 && calls.length > 0 ? null : toText(texts),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...toReasoningFields(reasoning),
  };
  return message.content === "" && reasoning.length === 0 ? [] : [message];
}

/** Plain text where no part is marked for the cache: not every host takes parts here. */
function toText(parts: TextPart[]): string | TextPart[] {
  return parts.some((part) => part.cache_control) ? parts : parts.map(({ text }) => text).join("");
}

/** The reasoning inside a block, where this model can make use of it. */
function toDetails(block: ContentBlock, model: string): JsonObject[] | undefined {
  const sealed = block.type === "thinking"
    ? block.signature
    : block.type === "redacted_thinking"
    ? block.data
    : "";
  if (typeof sealed !== "string" || sealed === "") return undefined;
  if (isSealed(sealed)) return unseal(sealed, model);
  // OpenRouter's copy of what a thinking block says already, marked so on its Anthropic endpoint.
  if (!isClaude(model) || sealed.startsWith("openrouter.reasoning:")) return undefined;
  if (block.type === "thinking") {
    return [{
      type: "reasoning.text",
      text: block.thinking,
      signature: sealed,
      format: "anthropic-claude-v1",
    }];
  }
  return [{ type: "reasoning.encrypted", data: sealed, format: "anthropic-claude-v1" }];
}

function isClaude(model: string): boolean {
  return /(^|\/)claude-/.test(model);
}

/** Reasoning goes back in the field that it came in. */
function toReasoningFields(reasoning: JsonObject[]): JsonObject {
  const fields: JsonObject = {};
  const details: JsonObject[] = [];
  for (const detail of reasoning) {
    const field = fieldOf(detail);
    if (field === undefined) details.push(detail);
    else fields[field] = `${fields[field] ?? ""}${detail.text}`;
  }
  return details.length > 0 ? { ...fields, reasoning_details: details } : fields;
}

/** The field that reasoning came in, where it was not `reasoning_details`. */
function fieldOf({ field }: JsonObject): ReasoningField | undefined {
  return field === "reasoning" || field === "reasoning_content" ? field : undefined;
}
