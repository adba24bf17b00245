import type { CacheControl, ToolResultBlock } from "../../../anthropic/schema.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import { cacheControlOf, type ChatContext, type ChatMessage, type ChatPart } from "../chat.ts";
import { locateBlocks, type LocatedBlock } from "../../request/located_block.ts";
import { attachmentTexts, hoistedNote, toResultText } from "../../request/notes.ts";
import { toParts } from "./parts.ts";

/**
 * Converts tool results to messages of the role `tool`.
 *
 * Most hosts accept only text in these messages. So images and files are hoisted: a note in the result announces them,
 * and `hoisted` goes to the beginning of the user's message.
 */
export function toToolMessages(
  located: readonly LocatedBlock[],
  context: ChatContext,
): { messages: ChatMessage[]; hoisted: ChatPart[] } {
  const { loss } = context;
  const messages: ChatMessage[] = [];
  const hoisted: ChatPart[] = [];
  for (const { block, path } of located) {
    if (block.type !== "tool_result") continue;
    const id = toUpstreamToolId(block.tool_use_id, context.features.callIds);
    const parts = toResultParts(block, path, context);
    const texts = parts.flatMap((part) => part.type === "text" ? [part.text] : []);
    const others = parts.filter((part) => part.type !== "text");
    if (others.length > 0) {
      texts.push(hoistedNote(others.length));
      const { before, after } = attachmentTexts(id, block);
      hoisted.push({ type: "text", text: before }, ...others);
      if (after !== undefined) hoisted.push({ type: "text", text: after });
      loss.add(path, "hoisted");
    }
    const text = toResultText(texts.join("\n"), block);
    const cacheControl = text === "" ? {} : resultCacheControl(block, parts, context);
    if (block.cache_control && !cacheControl.cache_control) loss.add(`${path}.cache_control`, "dropped");
    messages.push({
      role: "tool",
      tool_call_id: id,
      // Plain text unless there is a `cache_control`: not every host accepts parts here.
      content: cacheControl.cache_control ? [{ type: "text", text, ...cacheControl }] : text,
    });
  }
  return { messages, hoisted };
}

/** Converts the content of a tool result. */
export function toResultParts(block: ToolResultBlock, path: string, context: ChatContext): ChatPart[] {
  const { content } = block;
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content ? toParts(locateBlocks(content, `${path}.content`), context) : [];
}

/** Returns the `cache_control` of a result, or else of its last text part that has one. */
function resultCacheControl(
  block: ToolResultBlock,
  parts: readonly ChatPart[],
  context: ChatContext,
): { cache_control?: CacheControl } {
  const texts = parts.filter((part) => part.type === "text");
  return cacheControlOf([...texts, block].findLast((part) => part.cache_control) ?? {}, context);
}
