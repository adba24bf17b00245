import type { ContentBlock } from "../../../anthropic/schema.ts";
import { cacheControlOf, type ChatContext, type ChatPart, reportCitations } from "../chat.ts";
import type { LocatedBlock } from "../../request/located_block.ts";
import { toDocumentParts, toImageParts } from "./documents.ts";

/** Converts blocks to the parts of a chat message. Blocks without a counterpart are omitted and reported. */
export function toParts(located: readonly LocatedBlock[], context: ChatContext): ChatPart[] {
  const { features, loss } = context;
  const parts: ChatPart[] = [];
  for (const one of located) {
    const { block } = one;
    if ("cache_control" in block && block.cache_control && !features.cacheControl) {
      loss.add(`${one.path}.cache_control`, "dropped");
    }
    const blockParts = toBlockParts(one, context);
    if (blockParts.length === 0 && !isEmptyText(block)) loss.add(one.path, "dropped");
    for (const part of blockParts) parts.push(part);
  }
  return parts;
}

function toBlockParts(located: LocatedBlock, context: ChatContext): ChatPart[] {
  const { block } = located;
  switch (block.type) {
    case "text":
      if (block.citations) reportCitations(block, located.path, context);
      return isEmptyText(block)
        ? []
        : [{ type: "text", text: block.text, ...cacheControlOf(block, context) }];
    case "image":
      return toImageParts({ block, path: located.path }, context);
    case "document":
      return toDocumentParts({ block, path: located.path }, context, toParts);
    case "search_result": {
      const text = [block.title, block.source, ...block.content.map((part) => part.text)].join("\n");
      context.loss.add(located.path, "approximated");
      return [{ type: "text", text, ...cacheControlOf(block, context) }];
    }
    case "tool_reference":
      return [{
        type: "text",
        text: `Tool loaded: ${
          context.names.rename(block.tool_name, `${located.path}.tool_name`, context.loss)
        }`,
        ...cacheControlOf(block, context),
      }];
    default:
      // Among these are thinking, calls and results, which `toAssistantMessage` and `ResultPlacer` convert.
      return [];
  }
}

function isEmptyText(block: ContentBlock): boolean {
  return block.type === "text" && block.text === "";
}
