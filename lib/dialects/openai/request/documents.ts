import type { DocumentBlock, ImageBlock } from "../../../anthropic/schema.ts";
import { isObject } from "../../../base/json.ts";
import { cacheControlOf, type ChatContext, type ChatPart } from "../chat.ts";
import { locateBlocks, type LocatedBlock } from "../../request/located_block.ts";
import { decodeTextFile, OMISSION_REASONS } from "../../request/notes.ts";

/** Converts an image, or replaces it with a note if the model cannot receive it. */
export function toImageParts({ block, path }: LocatedBlock<ImageBlock>, context: ChatContext): ChatPart[] {
  const { source } = block;
  const cacheControl = cacheControlOf(block, context);
  const omit = (reason: string): ChatPart[] => {
    context.loss.add(path, "dropped");
    return [{ type: "text", text: `[Image omitted: ${reason}]`, ...cacheControl }];
  };
  const { inputs } = context.facts;
  if (inputs && !inputs.has("image")) return omit(OMISSION_REASONS.image);
  switch (source.type) {
    case "base64": {
      const url = `data:${source.media_type};base64,${source.data}`;
      return [{ type: "image_url", image_url: { url }, ...cacheControl }];
    }
    case "url":
      return [{ type: "image_url", image_url: { url: source.url }, ...cacheControl }];
    case "file":
      return omit(OMISSION_REASONS.uploaded);
    default:
      return omit(OMISSION_REASONS.source);
  }
}

/**
 * Converts a document: text to text, a file to a file, or to a note if the host does not accept the file.
 *
 * `toParts` converts the blocks inside a document.
 */
export function toDocumentParts(
  { block, path }: LocatedBlock<DocumentBlock>,
  context: ChatContext,
  toParts: (located: readonly LocatedBlock[], context: ChatContext) => ChatPart[],
): ChatPart[] {
  const { source } = block;
  const { features, loss } = context;
  const cacheControl = cacheControlOf(block, context);
  if (isObject(block.citations) && block.citations.enabled === true) {
    loss.add(`${path}.citations`, "dropped");
  }
  switch (source.type) {
    case "base64":
    case "url": {
      const text = source.type === "base64" ? decodeTextFile(source.media_type, source.data) : undefined;
      if (text !== undefined) return [{ type: "text", text: withTitle(text), ...cacheControl }];
      // The model's inputs do not matter: for a model that accepts no files, OpenRouter extracts the text.
      if (!features.files.includes(source.type)) return omit(OMISSION_REASONS[source.type]);
      const filename = block.title || "document.pdf";
      const file_data = source.type === "url"
        ? source.url
        : `data:${source.media_type};base64,${source.data}`;
      const contextParts: ChatPart[] = block.context ? [{ type: "text", text: block.context }] : [];
      return [...contextParts, { type: "file", file: { filename, file_data }, ...cacheControl }];
    }
    case "text":
      return [{ type: "text", text: withTitle(source.data), ...cacheControl }];
    case "content": {
      if (typeof source.content === "string") {
        return [{ type: "text", text: withTitle(source.content), ...cacheControl }];
      }
      if (block.cache_control) loss.add(`${path}.cache_control`, "dropped");
      const title = withTitle("");
      const parts = toParts(locateBlocks(source.content, `${path}.source.content`), context);
      return title === "" ? parts : [{ type: "text", text: title }, ...parts];
    }
    case "file":
      return omit(OMISSION_REASONS.uploaded);
    default:
      return omit(OMISSION_REASONS.source);
  }

  function withTitle(text: string): string {
    return [block.title, block.context, text].filter(Boolean).join("\n\n");
  }

  function omit(reason: string): ChatPart[] {
    loss.add(path, "dropped");
    return [{ type: "text", text: withTitle(`[Document omitted: ${reason}]`), ...cacheControl }];
  }
}
