import type { ContentBlock } from "../../../anthropic/schema.ts";
import { cacheControlOf, type ChatContext, type ChatPart, reportCitations } from "../chat.ts";
import type { LocatedBlock } from "../../request/located_block.ts";
import { toDocumentParts, toImageParts } from "./documents.ts";

/** Converts blocks to the parts of a chat message. Blocks without a counterpart are omitted and reported. */
export function toParts(located: readonly LocatedBlock[], context: ChatContext): ChatPart[] {
  const { features, loss } = context;
  return located.flatMap(({ block, path }): ChatPart[] => {
    if ("cache_control" in block && block.cache_control && !features.cacheControl) {
      loss.add(`${path}.cache_control`, "dropped");
    }
    const parts = toBlockParts(block, path, context);
    if (parts.length === 0 && !isEmptyText(block)) loss.add(path, "dropped");
    return parts;
  });
}

function toBlockParts(block: ContentBlock, path: string, context: ChatContext): ChatPart[] {
  switch (block.type) {
    case "text":
      reportCitations(block, path, context);
      return isEmptyText(block)
        ? []
        : [{ type: "text", text: block.text, ...cacheControlOf(block, context) }];
    case "image":
      return toImageParts({ block, path }, context);
    case "document":
      return toDocumentParts({ block, path }, context, toParts);
    case "search_result": {
      const text = [block.title, block.source, ...block.content.map((part) => part.text)].join("\n");
      context.loss.add(path, "approximated");
      return [{ type: "text", text, ...cacheControlOf(block, context) }];
    }
    case "tool_reference":
      return [{
        type: "text",
        text: `Tool loaded: ${context.names.rename(block.tool_name, `${path}.tool_name`, context.loss)}`,
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
