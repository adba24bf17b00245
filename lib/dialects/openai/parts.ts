import type { ContentBlock, DocumentBlock, ImageBlock } from "../../anthropic/schema.ts";
import type { LossReport } from "../../loss.ts";
import { type ChatFeatures, type ChatPart, toCacheControl } from "./chat.ts";

/** Creates the function that tells where a block of this content stands in the client's request. */
export function createPathOf(
  content: readonly ContentBlock[],
  path: string,
): (block: ContentBlock) => string {
  const places = new Map(content.map((block, at) => [block, at]));
  return (block) => `${path}.${places.get(block)}`;
}

/**
 * Says blocks as the parts of a chat message.
 *
 * `pathOf` tells where a block stands in the client's request. Blocks without a counterpart are left out and reported.
 */
export function toParts(
  blocks: readonly ContentBlock[],
  pathOf: (block: ContentBlock) => string,
  features: ChatFeatures,
  loss: LossReport,
): ChatPart[] {
  return blocks.flatMap((block): ChatPart[] => {
    if ("cache_control" in block && block.cache_control && !features.cacheControl) {
      loss.add(`${pathOf(block)}.cache_control`, "dropped");
    }
    const parts = toBlockParts(block, pathOf, features, loss);
    if (parts.length === 0 && !isEmptyText(block)) loss.add(pathOf(block), "dropped");
    return parts;
  });
}

function toBlockParts(
  block: ContentBlock,
  pathOf: (block: ContentBlock) => string,
  features: ChatFeatures,
  loss: LossReport,
): ChatPart[] {
  switch (block.type) {
    case "text":
      return isEmptyText(block)
        ? []
        : [{ type: "text", text: block.text, ...toCacheControl(block, features) }];
    case "image":
      return toImageParts(block, features);
    case "document":
      return toDocumentParts(block, pathOf, features, loss);
    case "search_result": {
      const text = [block.title, block.source, ...block.content.map((part) => part.text)].join("\n");
      loss.add(pathOf(block), "approximated");
      return [{ type: "text", text, ...toCacheControl(block, features) }];
    }
    case "tool_reference":
      return [{ type: "text", text: `Tool loaded: ${block.tool_name}` }];
    case "thinking":
    case "redacted_thinking":
    case "tool_use":
    case "tool_result":
      return []; // these have their place elsewhere in a conversation
    default:
      return [];
  }
}

function isEmptyText(block: ContentBlock): boolean {
  return block.type === "text" && block.text === "";
}

function toImageParts(block: ImageBlock, features: ChatFeatures): ChatPart[] {
  const { source } = block;
  switch (source.type) {
    case "base64":
      return [{
        type: "image_url",
        image_url: { url: `data:${source.media_type};base64,${source.data}` },
        ...toCacheControl(block, features),
      }];
    case "url":
      return [{ type: "image_url", image_url: { url: source.url }, ...toCacheControl(block, features) }];
    default:
      return [];
  }
}

function toDocumentParts(
  block: DocumentBlock,
  pathOf: (block: ContentBlock) => string,
  features: ChatFeatures,
  loss: LossReport,
): ChatPart[] {
  const { source } = block;
  const { title, context } = block;
  const filename = title || "document.pdf";
  const mark = toCacheControl(block, features);
  const toText = (text: string): ChatPart[] => text === "" ? [] : [{ type: "text", text }];
  switch (source.type) {
    case "base64": {
      const file_data = `data:${source.media_type};base64,${source.data}`;
      return [...toText(context ?? ""), { type: "file", file: { filename, file_data }, ...mark }];
    }
    case "url":
      return [...toText(context ?? ""), { type: "file", file: { filename, file_data: source.url }, ...mark }];
    case "text":
      return [{ type: "text", text: toTitled(block, source.data), ...mark }];
    case "content": {
      if (typeof source.content === "string") {
        return [{ type: "text", text: toTitled(block, source.content), ...mark }];
      }
      const path = createPathOf(source.content, `${pathOf(block)}.source.content`);
      if (block.cache_control) loss.add(`${pathOf(block)}.cache_control`, "dropped");
      return [...toText(toTitled(block, "")), ...toParts(source.content, path, features, loss)];
    }
    default:
      return [];
  }
}

function toTitled({ title, context }: DocumentBlock, text: string): string {
  return [title, context, text].filter(Boolean).join("\n\n");
}
