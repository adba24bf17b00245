import type { DocumentBlock, ImageBlock } from "../../../anthropic/schema.ts";
import { isObject } from "../../../base/json.ts";
import { locateBlocks, type LocatedBlock } from "../../request/located_block.ts";
import { decodeTextFile, OMISSION_REASONS } from "../../request/notes.ts";
import type { InputPart, ResponsesContext } from "../responses.ts";

/** Converts an image, or replaces it with a note if the model cannot receive it. */
export function toImagePart({ block, path }: LocatedBlock<ImageBlock>, context: ResponsesContext): InputPart {
  const { source } = block;
  const omit = (reason: string): InputPart => {
    context.loss.add(path, "dropped");
    return { type: "input_text", text: `[Image omitted: ${reason}]` };
  };
  const { inputs } = context.facts;
  if (inputs && !inputs.has("image")) return omit(OMISSION_REASONS.image);
  switch (source.type) {
    case "base64":
      return {
        type: "input_image",
        image_url: `data:${source.media_type};base64,${source.data}`,
        detail: "auto",
      };
    case "url":
      return { type: "input_image", image_url: source.url, detail: "auto" };
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
  context: ResponsesContext,
  toParts: (located: readonly LocatedBlock[], context: ResponsesContext) => InputPart[],
): InputPart[] {
  const { source } = block;
  const { features, loss } = context;
  if (isObject(block.citations) && block.citations.enabled === true) {
    loss.add(`${path}.citations`, "dropped");
  }
  switch (source.type) {
    case "base64":
    case "url": {
      const text = source.type === "base64" ? decodeTextFile(source.media_type, source.data) : undefined;
      if (text !== undefined) return withTitle(text);
      if (!features.files.includes(source.type)) return omit(OMISSION_REASONS[source.type]);
      const contextParts: InputPart[] = block.context ? [{ type: "input_text", text: block.context }] : [];
      if (source.type === "url") {
        // The host takes the name from the URL, and rejects a second one.
        const titleParts: InputPart[] = block.title ? [{ type: "input_text", text: block.title }] : [];
        return [...titleParts, ...contextParts, { type: "input_file", file_url: source.url }];
      }
      const file_data = `data:${source.media_type};base64,${source.data}`;
      return [...contextParts, { type: "input_file", filename: block.title || "document.pdf", file_data }];
    }
    case "text":
      return withTitle(source.data);
    case "content":
      return typeof source.content === "string" ? withTitle(source.content) : [
        ...withTitle(""),
        ...toParts(locateBlocks(source.content, `${path}.source.content`), context),
      ];
    case "file":
      return omit(OMISSION_REASONS.uploaded);
    default:
      return omit(OMISSION_REASONS.source);
  }

  function withTitle(content: string): InputPart[] {
    const text = [block.title, block.context, content].filter(Boolean).join("\n\n");
    return text === "" ? [] : [{ type: "input_text", text }];
  }

  function omit(reason: string): InputPart[] {
    loss.add(path, "dropped");
    return withTitle(`[Document omitted: ${reason}]`);
  }
}
