import type { DocumentBlock, ImageBlock } from "../../anthropic/schema.ts";
import { isMarkedPlain, markPlain } from "../../base/encoding/plain_text.ts";
import { isObject } from "../../base/json.ts";
import type { ModelFacts } from "../dialect.ts";
import type { LossReport } from "../loss.ts";
import { locateBlocks, type LocatedBlock } from "./located_block.ts";
import { decodeTextFile, OMISSION_REASONS } from "./notes.ts";

/** An image for OpenAI's APIs: a URL, which may hold the data, or a note in its place. */
export type ImageContent = { url: FileUrl; note?: undefined } | { note: string };

/** A URL, which may hold the data of a file. */
export interface FileUrl {
  url: string;
  /** True if it is known to have only plain characters. */
  isPlain: boolean;
}

/** Returns the URL of an image, or the note that replaces it if the model cannot receive it. */
export function readImage(
  { block: { source }, path }: LocatedBlock<ImageBlock>,
  { facts: { inputs }, loss }: { facts: ModelFacts; loss: LossReport },
): ImageContent {
  const omit = (reason: string): ImageContent => {
    loss.add(path, "dropped");
    return { note: `[Image omitted: ${reason}]` };
  };
  if (inputs && !inputs.has("image")) return omit(OMISSION_REASONS.image);
  switch (source.type) {
    case "base64":
      return { url: toDataUrl(source) };
    case "url":
      return { url: { url: source.url, isPlain: false } };
    case "file":
      return omit(OMISSION_REASONS.uploaded);
    default:
      return omit(OMISSION_REASONS.source);
  }
}

function toDataUrl(source: { media_type: string; data: string }): FileUrl {
  const { media_type, data } = source;
  const isPlain = isMarkedPlain(source, "data") && /^[\w./+-]*$/.test(media_type);
  return { url: `data:${media_type};base64,${data}`, isPlain };
}

/** Returns an object that holds the URL of a file as the member `name`. */
export function holdUrl<Name extends string, Others extends object>(
  { url, isPlain }: FileUrl,
  name: Name,
  others: Others,
): Others & { [name in Name]: string } {
  const holder = { ...others, [name]: url } as Others & { [name in Name]: string };
  return isPlain ? markPlain(holder, name) : holder;
}

/** A document for OpenAI's APIs: a text with its title, a file as data URL or URL, or a title and blocks. */
export type DocumentContent =
  | { kind: "text"; text: string }
  | { kind: "file"; source: "base64" | "url"; data: FileUrl }
  | { kind: "blocks"; title: string; blocks: readonly LocatedBlock[] };

/** Reads a document: text as text, a file as a file, or a note if the host does not accept the file. */
export function readDocument(
  { block, path }: LocatedBlock<DocumentBlock>,
  { files, loss }: { files: readonly ("base64" | "url")[]; loss: LossReport },
): DocumentContent {
  const { source } = block;
  if (isObject(block.citations) && block.citations.enabled === true) {
    loss.add(`${path}.citations`, "dropped");
  }
  switch (source.type) {
    case "base64":
    case "url": {
      const text = source.type === "base64" ? decodeTextFile(source.media_type, source.data) : undefined;
      if (text !== undefined) return withTitle(text);
      // The model's inputs do not matter: for a model that accepts no files, OpenRouter extracts the text.
      if (!files.includes(source.type)) return omit(OMISSION_REASONS[source.type]);
      const data = source.type === "url" ? { url: source.url, isPlain: false } : toDataUrl(source);
      return { kind: "file", source: source.type, data };
    }
    case "text":
      return withTitle(source.data);
    case "content":
      return typeof source.content === "string" ? withTitle(source.content) : {
        kind: "blocks",
        title: joinTitle(""),
        blocks: locateBlocks(source.content, { path: `${path}.source.content` }),
      };
    case "file":
      return omit(OMISSION_REASONS.uploaded);
    default:
      return omit(OMISSION_REASONS.source);
  }

  function joinTitle(text: string): string {
    return [block.title, block.context, text].filter(Boolean).join("\n\n");
  }

  function withTitle(text: string): DocumentContent {
    return { kind: "text", text: joinTitle(text) };
  }

  function omit(reason: string): DocumentContent {
    loss.add(path, "dropped");
    return withTitle(`[Document omitted: ${reason}]`);
  }
}
