import type { JsonObject, ToolContent, ToolResult } from "../call.ts";
import { McpError } from "../errors.ts";
import { isDeeperThan, isObject } from "./json.ts";

/** Options of {@linkcode toToolResult}. */
export interface ResultOptions {
  /** Name of the server, for error messages. */
  server: string;
  /** Maximum length of the text of the result, in characters. */
  maxChars: number | undefined;
}

/** Default of {@linkcode ResultOptions.maxChars}. */
export const MAX_RESULT_CHARS = 200_000;

/** Maximum number of blocks in one result. */
const MAX_BLOCKS = 1000;
/** Maximum nesting of structured content. */
const MAX_DEPTH = 150;
/** Limits of the images in one result: their number, and the base64 characters of each. */
const MAX_IMAGES = 20;
const MAX_IMAGE_CHARS = 7_000_000;
/** Image formats of Anthropic's API. */
const IMAGE_TYPE = /^image\/(?:jpeg|png|gif|webp)$/;

/**
 * Converts the result of `tools/call` to content blocks.
 *
 * Text and images that a model can see are kept; all other content becomes a note. `structuredContent` is appended as
 * JSON, unless a text block has the same value. The text is cut at `maxChars`.
 *
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-result
 *
 * @throws {McpError} if it is no result: it has neither content nor structured content.
 */
export function toToolResult(
  result: JsonObject,
  { server, maxChars = MAX_RESULT_CHARS }: ResultOptions,
): ToolResult {
  const { content, structuredContent, isError } = result;
  const hasContent = Array.isArray(content);
  if (!hasContent && structuredContent === undefined) {
    throw new McpError(`Cannot read the result of MCP server "${server}": it has no content`);
  }
  let images = 0;
  const blocks = hasContent ? content : [];
  const pieces = blocks.slice(0, MAX_BLOCKS).map((piece) => toContent(piece, () => images++ < MAX_IMAGES));
  if (blocks.length > MAX_BLOCKS) pieces.push(note(`[${blocks.length - MAX_BLOCKS} more blocks cut]`));
  if (structuredContent !== undefined) {
    if (isDeeperThan(MAX_DEPTH, structuredContent)) {
      pieces.push(note("[structured content, nested too deeply]"));
    } else if (!pieces.some((piece) => isJsonOf(piece, structuredContent))) {
      pieces.push(note(JSON.stringify(structuredContent)));
    }
  }
  return { content: truncate(pieces, maxChars), isError: isError === true };
}

function toContent(piece: unknown, takeImage: () => boolean): ToolContent {
  const { type, text, data, mimeType, resource, uri, name, description }: JsonObject = isObject(piece)
    ? piece
    : {};
  switch (type) {
    case "text":
      return note(typeof text === "string" ? text : "[empty text]");
    case "image":
      return toImage(data, mimeType, takeImage);
    case "audio":
      return note(describeFile(mimeType, data));
    case "resource":
      return toResource(resource);
    case "resource_link":
      return note(`[${joinTexts("resource", [name, uri, mimeType, description])}]`);
    default:
      return note(`[unsupported content${typeof type === "string" ? ` of type ${type.slice(0, 50)}` : ""}]`);
  }
}

function toImage(data: unknown, mimeType: unknown, takeImage: () => boolean): ToolContent {
  const isShown = typeof data === "string" && typeof mimeType === "string" && IMAGE_TYPE.test(mimeType) &&
    data.length <= MAX_IMAGE_CHARS && /^[A-Za-z0-9+/]+={0,2}$/.test(data) && takeImage();
  if (!isShown) return note(describeFile(mimeType, data));
  return { type: "image", source: { type: "base64", media_type: mimeType, data } };
}

function toResource(resource: unknown): ToolContent {
  const { uri, mimeType, text, blob }: JsonObject = isObject(resource) ? resource : {};
  if (typeof text !== "string") {
    return note(`${describeFile(mimeType, blob)} ${typeof uri === "string" ? uri : ""}`.trim());
  }
  return note(typeof uri === "string" ? `[${joinTexts("resource", [uri])}]\n${text}` : text);
}

/** Describes a file that the model does not see. */
function describeFile(mimeType: unknown, data: unknown): string {
  const type = typeof mimeType === "string" ? mimeType.slice(0, 100) : "unknown type";
  const size = typeof data === "string" ? `, ${Math.ceil((data.length * 3) / 4096)} KiB` : "";
  return `[${type}${size}, not shown]`;
}

function joinTexts(kind: string, parts: readonly unknown[]): string {
  return [kind, ...parts.filter((part) => typeof part === "string" && part !== "")].join(", ");
}

function note(text: string): ToolContent {
  return { type: "text", text };
}

/** True if a piece is the JSON of a value, in any spelling. */
function isJsonOf(piece: ToolContent, value: unknown): boolean {
  if (piece.type !== "text" || !/^\s*[[{"\dtfn-]/.test(piece.text)) return false;
  try {
    const parsed: unknown = JSON.parse(piece.text);
    return !isDeeperThan(MAX_DEPTH, parsed) && toCanonicalJson(parsed) === toCanonicalJson(value);
  } catch {
    return false; // another text
  }
}

function toCanonicalJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, item) =>
      isObject(item)
        ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => one < other ? -1 : 1))
        : item,
  );
}

/** Cuts the text of a result at the maximum, and appends a note on the number of characters cut. */
function truncate(content: readonly ToolContent[], maxChars: number): ToolContent[] {
  let left = maxChars;
  let cut = 0;
  const kept = content.flatMap((piece): ToolContent[] => {
    if (piece.type !== "text") return [piece];
    const text = piece.text.slice(0, left);
    left -= text.length;
    cut += piece.text.length - text.length;
    return text === "" && piece.text !== "" ? [] : [{ type: "text", text }];
  });
  return cut === 0 ? kept : [...kept, note(`[${cut} more characters cut]`)];
}
