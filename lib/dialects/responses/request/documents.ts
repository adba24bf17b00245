import type { DocumentBlock, ImageBlock } from "../../../anthropic/schema.ts";
import { holdUrl, readDocument, readImage } from "../../request/documents.ts";
import type { LocatedBlock } from "../../request/located_block.ts";
import type { InputPart, ResponsesContext } from "../responses.ts";

/** Converts an image, or replaces it with a note if the model cannot receive it. */
export function toImagePart(located: LocatedBlock<ImageBlock>, context: ResponsesContext): InputPart {
  const image = readImage(located, context);
  return image.note === undefined
    ? holdUrl(image.url, "image_url", { type: "input_image", detail: "auto" } as const)
    : { type: "input_text", text: image.note };
}

/**
 * Converts a document: text to text, a file to a file, or to a note if the host does not accept the file.
 *
 * `toParts` converts the blocks inside a document.
 */
export function toDocumentParts(
  located: LocatedBlock<DocumentBlock>,
  context: ResponsesContext,
  toParts: (located: readonly LocatedBlock[], context: ResponsesContext) => InputPart[],
): InputPart[] {
  const { title, context: description } = located.block;
  const { features: { files }, loss } = context;
  const document = readDocument(located, { files, loss });
  switch (document.kind) {
    case "text":
      return toTextParts(document.text);
    case "file":
      // The host takes the name from the URL, and rejects a second one.
      return document.source === "url"
        ? [...toTextParts(title), ...toTextParts(description), {
          type: "input_file",
          file_url: document.data.url,
        }]
        : [
          ...toTextParts(description),
          holdUrl(
            document.data,
            "file_data",
            { type: "input_file", filename: title || "document.pdf" } as const,
          ),
        ];
    case "blocks":
      return [...toTextParts(document.title), ...toParts(document.blocks, context)];
  }
}

function toTextParts(text: string | null | undefined): InputPart[] {
  return text ? [{ type: "input_text", text }] : [];
}
