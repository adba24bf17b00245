import type { CacheControl, ToolResultBlock } from "../../../anthropic/schema.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import { cacheControlOf, type ChatContext, type ChatMessage, type ChatPart } from "../chat.ts";
import { locateBlocks, type LocatedBlock } from "../../request/located_block.ts";
import { attachmentTexts, hoistedNote, toResultText } from "../../request/notes.ts";
import { toParts } from "./parts.ts";

/**
 * Converts a tool result to a message of the role `tool`.
 *
 * Most hosts accept only text in these messages. So images and files are hoisted: a note in the result announces them,
 * and `hoisted` goes to the beginning of the user's message.
 */
export function toToolMessage(
  located: LocatedBlock<ToolResultBlock>,
  context: ChatContext,
): { message: ChatMessage; hoisted: ChatPart[] | undefined } {
  const { block } = located;
  const { loss } = context;
  let hoisted: ChatPart[] | undefined;
  const id = toUpstreamToolId(block.tool_use_id, context.features.callIds);
  const parts = toResultParts(located, context);
  const texts = parts.every(isText) ? parts : parts.filter(isText);
  let joined = texts.length === 1 ? texts[0]?.text ?? "" : texts.map(({ text }) => text).join("\n");
  if (texts.length < parts.length) {
    const others = parts.filter((part) => !isText(part));
    const note = hoistedNote(others.length);
    joined = texts.length === 0 ? note : `${joined}\n${note}`;
    const { before, after } = attachmentTexts(id, block);
    hoisted = [{ type: "text", text: before }, ...others];
    if (after !== undefined) hoisted.push({ type: "text", text: after });
    loss.add(located.path, "hoisted");
  }
  const text = toResultText(joined, block);
  const cacheControl = text === "" ? undefined : resultCacheControl(block, texts, context);
  if (block.cache_control && !cacheControl) loss.add(`${located.path}.cache_control`, "dropped");
  return {
    message: {
      role: "tool",
      tool_call_id: id,
      // Plain text unless there is a `cache_control`: not every host accepts parts here.
      content: cacheControl ? [{ type: "text", text, cache_control: cacheControl }] : text,
    },
    hoisted,
  };
}

type TextPart = Extract<ChatPart, { type: "text" }>;

function isText(part: ChatPart): part is TextPart {
  return part.type === "text";
}

/** Converts the content of a tool result. */
export function toResultParts(result: LocatedBlock<ToolResultBlock>, context: ChatContext): ChatPart[] {
  const { content } = result.block;
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  return content ? toParts(locateBlocks(content, { path: `${result.path}.content` }), context) : [];
}

/** Returns the `cache_control` of a result, or else of its last text part that has one. */
function resultCacheControl(
  block: ToolResultBlock,
  texts: readonly TextPart[],
  context: ChatContext,
): CacheControl | undefined {
  const cached = block.cache_control ? block : texts.findLast((part) => part.cache_control);
  return cached && cacheControlOf(cached, context).cache_control;
}
