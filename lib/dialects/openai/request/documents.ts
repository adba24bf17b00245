import type { DocumentBlock, ImageBlock } from "../../../anthropic/schema.ts";
import { fromBase64Url } from "../../../base/base64url.ts";
import { isObject } from "../../../base/json.ts";
import { cacheControlOf, type ChatContext, type ChatPart, locateBlocks, type LocatedBlock } from "../chat.ts";

/** Says an image, or that there was one where the model cannot be shown it. */
export function toImageParts({ block, path }: LocatedBlock<ImageBlock>, context: ChatContext): ChatPart[] {
  const { source } = block;
  const cacheControl = cacheControlOf(block, context);
  const omit = (reason: string): ChatPart[] => {
    context.loss.add(path, "dropped");
    return [{ type: "text", text: `[An image was left out here: ${reason}]`, ...cacheControl }];
  };
  const { inputs } = context.facts;
  if (inputs && !inputs.has("image")) return omit("this model cannot see images");
  switch (source.type) {
    case "base64": {
      const url = `data:${source.media_type};base64,${source.data}`;
      return [{ type: "image_url", image_url: { url }, ...cacheControl }];
    }
    case "url":
      return [{ type: "image_url", image_url: { url: source.url }, ...cacheControl }];
    case "file":
      return omit(UPLOADED_FILE_REASON);
    default:
      return omit(UNSUPPORTED_SOURCE_REASON);
  }
}

/**
 * Says a document: text as text, a file as a file, or that there was one where the host takes none.
 *
 * `toParts` says the blocks that a document may hold itself.
 */
export function toDocumentParts(
  { block, path }: LocatedBlock<DocumentBlock>,
  context: ChatContext,
  toParts: (placed: readonly LocatedBlock[], context: ChatContext) => ChatPart[],
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
      const text = source.type === "base64" ? decodeText(source.media_type, source.data) : undefined;
      if (text !== undefined) return [{ type: "text", text: withTitle(text), ...cacheControl }];
      // A model that takes no files gets the text of one: OpenRouter reads it for it.
      if (!features.files.includes(source.type)) return omit(NO_FILES_REASONS[source.type]);
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
      return omit(UPLOADED_FILE_REASON);
    default:
      return omit(UNSUPPORTED_SOURCE_REASON);
  }

  function withTitle(text: string): string {
    return [block.title, block.context, text].filter(Boolean).join("\n\n");
  }

  function omit(reason: string): ChatPart[] {
    loss.add(path, "dropped");
    return [{ type: "text", text: withTitle(`[A document was left out here: ${reason}]`), ...cacheControl }];
  }
}

/** Text that comes as a file is text all the same; nothing where it is none. */
function decodeText(mediaType: string, data: string): string | undefined {
  return /^text\//i.test(mediaType) ? fromBase64Url(data) : undefined;
}

const UPLOADED_FILE_REASON = "it is a file uploaded elsewhere, which cannot be opened from here";
const UNSUPPORTED_SOURCE_REASON = "there is no way to hand it over";
const NO_FILES_REASONS = {
  base64: "this host takes no files",
  url: "this host opens no addresses of files",
};
