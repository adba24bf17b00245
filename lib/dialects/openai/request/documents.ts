import type { DocumentBlock, ImageBlock } from "../../../anthropic/schema.ts";
import { fromBase64Url } from "../../../base/base64url.ts";
import { isObject } from "../../../base/json.ts";
import { type ChatContext, type ChatPart, place, type Placed, toCacheControl } from "../chat.ts";

/** Says an image, or that there was one where the model cannot be shown it. */
export function toImageParts({ block, path }: Placed<ImageBlock>, context: ChatContext): ChatPart[] {
  const { source } = block;
  const mark = toCacheControl(block, context);
  const leaveOut = (why: string): ChatPart[] => {
    context.loss.add(path, "dropped");
    return [{ type: "text", text: `[An image was left out here: ${why}]`, ...mark }];
  };
  const { inputs } = context.facts;
  if (inputs && !inputs.has("image")) return leaveOut("this model cannot see images");
  switch (source.type) {
    case "base64": {
      const url = `data:${source.media_type};base64,${source.data}`;
      return [{ type: "image_url", image_url: { url }, ...mark }];
    }
    case "url":
      return [{ type: "image_url", image_url: { url: source.url }, ...mark }];
    case "file":
      return leaveOut(UPLOADED);
    default:
      return leaveOut(NO_WORDS);
  }
}

/**
 * Says a document: text as text, a file as a file, or that there was one where the host takes none.
 *
 * `toParts` says the blocks that a document may hold itself.
 */
export function toDocumentParts(
  { block, path }: Placed<DocumentBlock>,
  context: ChatContext,
  toParts: (placed: readonly Placed[], context: ChatContext) => ChatPart[],
): ChatPart[] {
  const { source } = block;
  const { features, loss } = context;
  const mark = toCacheControl(block, context);
  if (isObject(block.citations) && block.citations.enabled === true) {
    loss.add(`${path}.citations`, "dropped");
  }
  switch (source.type) {
    case "base64":
    case "url": {
      const text = source.type === "base64" ? toWords(source.media_type, source.data) : undefined;
      if (text !== undefined) return [{ type: "text", text: toTitled(text), ...mark }];
      // A model that takes no files gets the text of one: OpenRouter reads it for it.
      if (!features.files.includes(source.type)) return leaveOut(NO_FILES[source.type]);
      const filename = block.title || "document.pdf";
      const file_data = source.type === "url"
        ? source.url
        : `data:${source.media_type};base64,${source.data}`;
      const told: ChatPart[] = block.context ? [{ type: "text", text: block.context }] : [];
      return [...told, { type: "file", file: { filename, file_data }, ...mark }];
    }
    case "text":
      return [{ type: "text", text: toTitled(source.data), ...mark }];
    case "content": {
      if (typeof source.content === "string") {
        return [{ type: "text", text: toTitled(source.content), ...mark }];
      }
      if (block.cache_control) loss.add(`${path}.cache_control`, "dropped");
      const title = toTitled("");
      const parts = toParts(place(source.content, `${path}.source.content`), context);
      return title === "" ? parts : [{ type: "text", text: title }, ...parts];
    }
    case "file":
      return leaveOut(UPLOADED);
    default:
      return leaveOut(NO_WORDS);
  }

  function toTitled(text: string): string {
    return [block.title, block.context, text].filter(Boolean).join("\n\n");
  }

  function leaveOut(why: string): ChatPart[] {
    loss.add(path, "dropped");
    return [{ type: "text", text: toTitled(`[A document was left out here: ${why}]`), ...mark }];
  }
}

/** Text that comes as a file is text all the same; nothing where it is none. */
function toWords(mediaType: string, data: string): string | undefined {
  return /^text\//i.test(mediaType) ? fromBase64Url(data) : undefined;
}

const UPLOADED = "it is a file uploaded elsewhere, which cannot be opened from here";
const NO_WORDS = "there is no way to hand it over";
const NO_FILES = {
  base64: "this host takes no files",
  url: "this host opens no addresses of files",
};
