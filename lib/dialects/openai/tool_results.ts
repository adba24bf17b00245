import type { ContentBlock, ToolResultBlock } from "../../anthropic/schema.ts";
import type { LossReport } from "../../loss.ts";
import { toUpstreamToolId } from "../tool_id.ts";
import type { ChatFeatures, ChatMessage, ChatPart } from "./chat.ts";
import { createPathOf, toParts } from "./parts.ts";

/**
 * Says the tool results of a turn as messages of the role `tool`.
 *
 * Those hold text alone with most hosts, so images and files are hoisted: the result says that they follow, and they
 * lead the user's own words.
 */
export function toToolMessages(
  content: readonly ContentBlock[],
  pathOf: (block: ContentBlock) => string,
  features: ChatFeatures,
  loss: LossReport,
): { messages: ChatMessage[]; hoisted: ChatPart[] } {
  const messages: ChatMessage[] = [];
  const hoisted: ChatPart[] = [];
  for (const block of content) {
    if (block.type !== "tool_result") continue;
    const parts = toResultParts(block, pathOf(block), features, loss);
    const texts = parts.flatMap((part) => part.type === "text" ? [part.text] : []);
    const others = parts.filter((part) => part.type !== "text");
    if (others.length > 0) {
      texts.push(`[${others.length} attachment(s) of this result follow in the next message]`);
      hoisted.push(
        { type: "text", text: `Attachments of the result of tool call ${block.tool_use_id}:` },
        ...others,
      );
      loss.add(pathOf(block), "hoisted");
    }
    messages.push({
      role: "tool",
      tool_call_id: toUpstreamToolId(block.tool_use_id),
      content: toResultText(texts.join("\n"), block),
    });
  }
  return { messages, hoisted };
}

function toResultParts(
  block: ToolResultBlock,
  path: string,
  features: ChatFeatures,
  loss: LossReport,
): ChatPart[] {
  const { content } = block;
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!content) return [];
  return toParts(content, createPathOf(content, `${path}.content`), features, loss);
}

/** Chat completions have no flag for a failed call, so the text says it. */
function toResultText(text: string, { is_error }: ToolResultBlock): string {
  if (!is_error) return text;
  return text === "" ? "Error: the tool failed without a message" : `Error: ${text}`;
}
