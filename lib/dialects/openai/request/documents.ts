import type { DocumentBlock, ImageBlock } from "../../../anthropic/schema.ts";
import { holdUrl, readDocument, readImage } from "../../request/documents.ts";
import type { LocatedBlock } from "../../request/located_block.ts";
import { cacheControlOf, type ChatContext, type ChatPart } from "../chat.ts";

/** Converts an image, or replaces it with a note if the model cannot receive it. */
export function toImageParts(located: LocatedBlock<ImageBlock>, context: ChatContext): ChatPart[] {
  const image = readImage(located, context);
  const cacheControl = cacheControlOf(located.block, context);
  return image.note === undefined
    ? [{ type: "image_url", image_url: holdUrl(image.url, "url", {}), ...cacheControl }]
    : [{ type: "text", text: image.note, ...cacheControl }];
}

/**
 * Converts a document: text to text, a file to a file, or to a note if the host does not accept the file.
 *
 * `toParts` converts the blocks inside a document.
 */
export function toDocumentParts(
  located: LocatedBlock<DocumentBlock>,
  context: ChatContext,
  toParts: (located: readonly LocatedBlock[], context: ChatContext) => ChatPart[],
): ChatPart[] {
  const { block, path } = located;
  const { features: { files }, loss } = context;
  const cacheControl = cacheControlOf(block, context);
  const document = readDocument(located, { files, loss });
  switch (document.kind) {
    case "text":
      return [{ type: "text", text: document.text, ...cacheControl }];
    case "file": {
      const file = holdUrl(document.data, "file_data", { filename: block.title || "document.pdf" });
      const contextParts: ChatPart[] = block.context ? [{ type: "text", text: block.context }] : [];
      return [...contextParts, { type: "file", file, ...cacheControl }];
    }
    case "blocks": {
      if (block.cache_control) loss.add(`${path}.cache_control`, "dropped");
      const parts = toParts(document.blocks, context);
      return document.title === "" ? parts : [{ type: "text", text: document.title }, ...parts];
    }
  }
}
