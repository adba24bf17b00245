import type { ContentBlock, DocumentBlock, ImageBlock } from "../../anthropic/schema.ts";
import { isObject } from "../../json.ts";
import { type ChatContext, type ChatPart, place, type Placed, toCacheControl } from "./chat.ts";

/** Says blocks as the parts of a chat message. Blocks without a counterpart are left out and reported. */
export function toParts(placed: readonly Placed[], context: ChatContext): ChatPart[] {
  const { features, loss } = context;
  return placed.flatMap(({ block, path }): ChatPart[] => {
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
      return isEmptyText(block)
        ? []
        : [{ type: "text", text: block.text, ...toCacheControl(block, context) }];
    case "image":
      return toImageParts(block, context);
    case "document":
      return toDocumentParts(block, path, context);
    case "search_result": {
      const text = [block.title, block.source, ...block.content.map((part) => part.text)].join("\n");
      context.loss.add(path, "approximated");
      return [{ type: "text", text, ...toCacheControl(block, context) }];
    }
    case "tool_reference":
      return [{
        type: "text",
        text: `Tool loaded: ${context.names.say(block.tool_name, `${path}.tool_name`, context.loss)}`,
      }];
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

function toImageParts(block: ImageBlock, context: ChatContext): ChatPart[] {
  const { source } = block;
  const mark = toCacheControl(block, context);
  switch (source.type) {
    case "base64": {
      const url = `data:${source.media_type};base64,${source.data}`;
      return [{ type: "image_url", image_url: { url }, ...mark }];
    }
    case "url":
      return [{ type: "image_url", image_url: { url: source.url }, ...mark }];
    default:
      return [];
  }
}

function toDocumentParts(block: DocumentBlock, path: string, context: ChatContext): ChatPart[] {
  const { source } = block;
  const filename = block.title || "document.pdf";
  const mark = toCacheControl(block, context);
  const told: ChatPart[] = block.context ? [{ type: "text", text: block.context }] : [];
  if (isObject(block.citations) && block.citations.enabled === true) {
    context.loss.add(`${path}.citations`, "dropped");
  }
  switch (source.type) {
    case "base64": {
      const file_data = `data:${source.media_type};base64,${source.data}`;
      return [...told, { type: "file", file: { filename, file_data }, ...mark }];
    }
    case "url":
      return [...told, { type: "file", file: { filename, file_data: source.url }, ...mark }];
    case "text":
      return [{ type: "text", text: toTitled(block, source.data), ...mark }];
    case "content": {
      if (typeof source.content === "string") {
        return [{ type: "text", text: toTitled(block, source.content), ...mark }];
      }
      if (block.cache_control) context.loss.add(`${path}.cache_control`, "dropped");
      const title = toTitled(block, "");
      const parts = toParts(place(source.content, `${path}.source.content`), context);
      return title === "" ? parts : [{ type: "text", text: title }, ...parts];
    }
    default:
      return [];
  }
}

function toTitled({ title, context }: DocumentBlock, text: string): string {
  return [title, context, text].filter(Boolean).join("\n\n");
}
