import type { DocumentBlock, ImageBlock } from "../anthropic/schema.ts";
import { headOf } from "../base/encoding/plain_text.ts";
import { type ImageSize, readImageSize } from "./image_size.ts";

/** Estimates the tokens of an image. An image without base64 data counts as the maximum. */
export function countImage({ source }: ImageBlock): number {
  return source.type === "base64" ? countPixels(source) : MAX_IMAGE_TOKENS;
}

/** Estimates the tokens of a document's file. `text` and `content` sources count as 0: their text is counted apart. */
export function countFile({ source }: DocumentBlock): number {
  switch (source.type) {
    case "text":
    case "content":
      return 0;
    case "base64":
      return TOKENS_PER_PAGE * estimatePages(source.data);
    default:
      return UNKNOWN_FILE_TOKENS;
  }
}

/**
 * Estimates the tokens of an image in base64 by the size in its first bytes. An unknown size counts as the maximum.
 *
 * Claude's formula: one token for 750 pixels, after the image is scaled down to at most 1568 pixels a side and about
 * 1600 tokens. Source: https://platform.claude.com/docs/en/build-with-claude/vision
 *
 * @example Usage
 * ```ts
 * import { countPixels } from "./media.ts";
 *
 * if (countPixels({ data: "R0lGODlhQAHwAA==" }) !== 103) throw new Error("320 by 240 pixels are about 103 tokens");
 * ```
 */
export function countPixels(source: { data: string }): number {
  const size = imageSizeIn(source, SHORT_HEAD_CHARS) ?? imageSizeIn(source, LONG_HEAD_CHARS);
  if (size === undefined) return MAX_IMAGE_TOKENS;
  const { width, height } = size;
  const scale = Math.min(1, MAX_SIDE_PIXELS / Math.max(width, height));
  return Math.max(
    1,
    Math.min(MAX_IMAGE_TOKENS, Math.ceil(width * scale * height * scale / PIXELS_PER_TOKEN)),
  );
}

const MAX_IMAGE_TOKENS = 1600;
const MAX_SIDE_PIXELS = 1568;
const PIXELS_PER_TOKEN = 750;
/** Base64 characters read to find the size. A photograph may hold a thumbnail first: then the long head is read. */
const SHORT_HEAD_CHARS = 1024;
const LONG_HEAD_CHARS = 128 * 1024;

function imageSizeIn(source: { data: string }, length: number): ImageSize | undefined {
  return readImageSize(decodeBytes(headOf(source, "data", length)));
}

/**
 * A page counts as its text and as an image. Source: https://platform.claude.com/docs/en/build-with-claude/pdf-support
 */
const TOKENS_PER_PAGE = 2000;
const UNKNOWN_FILE_TOKENS = 3000;

/** Estimates the pages of a PDF by the page counts in its head and tail. If these are compressed, by its size. */
export function estimatePages(base64: string): number {
  const end = Math.max(0, base64.length - PDF_SAMPLE_CHARS) & ~3;
  const binary = decodeBinaryString(base64.slice(0, PDF_SAMPLE_CHARS)) +
    decodeBinaryString(base64.slice(end));
  const linear = Number(/\/Linearized\b[^>]{0,200}?\/N (\d{1,5})/.exec(binary)?.[1] ?? 0);
  const counts = Array.from(binary.matchAll(/\/Count (\d{1,5})\b/g), ([, count]) => Number(count));
  const pages = Math.max(linear, ...counts);
  return pages > 0 ? Math.min(pages, MAX_PAGES) : Math.max(1, Math.round(base64.length / CHARS_PER_PAGE));
}

const PDF_SAMPLE_CHARS = 64 * 1024;
/** Maximum pages that Claude accepts. */
const MAX_PAGES = 600;
/** Base64 characters of a page with one or two images. */
const CHARS_PER_PAGE = 75_000;

function decodeBytes(base64: string): Uint8Array {
  const binary = decodeBinaryString(base64);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** Decodes base64 to a string of one character a byte. Returns an empty string if the input is not base64. */
function decodeBinaryString(base64: string): string {
  try {
    return atob(base64.slice(0, base64.length & ~3));
  } catch {
    return "";
  }
}
