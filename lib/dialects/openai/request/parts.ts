import { append } from "./append.ts";
import { type ChatContext, type ChatPart, reportCitations, toTextPart } from "../chat.ts";
import type { LocatedBlock } from "../../request/located_block.ts";
import { toDocumentParts, toImageParts } from "./documents.ts";

/** Converts blocks to the parts of a chat message. Blocks without a counterpart are omitted and reported. */
export function toParts(located: readonly LocatedBlock[], context: ChatContext): ChatPart[] {
  let parts: ChatPart[] | undefined;
  for (const one of located) parts = addParts(parts, one, context);
  return parts ?? [];
}

/** Appends the parts of a block. A block without a counterpart is omitted and reported. */
export function addParts(
  parts: ChatPart[] | undefined,
  located: LocatedBlock,
  context: ChatContext,
): ChatPart[] | undefined {
  const { block } = located;
  const { features, loss } = context;
  if ("cache_control" in block && block.cache_control && !features.cacheControl) {
    loss.add(`${located.path}.cache_control`, "dropped");
  }
  if (block.type === "text") {
    if (block.citations) reportCitations(block, located.path, context);
    return block.text === "" ? parts : append(parts, toTextPart(block.text, block, context));
  }
  const blockParts = toBlockParts(located, context);
  if (blockParts.length === 0) loss.add(located.path, "dropped");
  if (parts === undefined) return blockParts;
  for (const part of blockParts) parts.push(part);
  return parts;
}

function toBlockParts({ block, path }: LocatedBlock, context: ChatContext): ChatPart[] {
  switch (block.type) {
    case "image":
      return toImageParts({ block, path }, context);
    case "document":
      return toDocumentParts({ block, path }, context, toParts);
    case "search_result": {
      const text = [block.title, block.source, ...block.content.map((part) => part.text)].join("\n");
      context.loss.add(path, "approximated");
      return [toTextPart(text, block, context)];
    }
    case "tool_reference": {
      const name = context.names.rename(block.tool_name, () => `${path}.tool_name`, context.loss);
      return [toTextPart(`Tool loaded: ${name}`, block, context)];
    }
    default:
      // Among these are thinking, calls and results, which `toAssistantMessage` and `ResultPlacer` convert.
      return [];
  }
}
