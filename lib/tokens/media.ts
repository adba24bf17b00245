import type { DocumentBlock, ImageBlock } from "../anthropic/schema.ts";
import { type ImageSize, readImageSize } from "./image_size.ts";

/** Estimates the tokens of a picture; one that cannot be looked at costs as much as one can. */
export function countImage({ source }: ImageBlock): number {
  return source.type === "base64" ? countPixels(source.data) : MAX_IMAGE_TOKENS;
}

/** Estimates the tokens of a file, as far as it is not text. */
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
 * Estimates the tokens of a picture given in base64, by the size that its first bytes say.
 *
 * Claude's own formula: a token for 750 pixels, after the picture was scaled down to fit a side of 1568 pixels and
 * about 1600 tokens. Source: https://platform.claude.com/docs/en/build-with-claude/vision
 *
 * @example Usage
 * ```ts
 * import { countPixels } from "./media.ts";
 *
 * if (countPixels("R0lGODlhQAHwAA==") !== 103) throw new Error("320 by 240 pixels are about 103 tokens");
 * ```
 */
export function countPixels(base64: string): number {
  const size = imageSizeIn(base64, SHORT_HEAD_CHARS) ?? imageSizeIn(base64, LONG_HEAD_CHARS);
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
/** Enough for most; but a photograph may carry a small copy of itself and more before it says its size. */
const SHORT_HEAD_CHARS = 1024;
const LONG_HEAD_CHARS = 128 * 1024;

function imageSizeIn(base64: string, length: number): ImageSize | undefined {
  return readImageSize(decodeBytes(base64.slice(0, length)));
}

/** A page is read as its text and as a picture. Source: https://platform.claude.com/docs/en/build-with-claude/pdf-support */
const TOKENS_PER_PAGE = 2000;
const UNKNOWN_FILE_TOKENS = 3000;

/** Guesses the pages of a PDF: by what its head or its end says, where that is not packed, otherwise by its weight. */
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
/** The most pages that Claude takes. */
const MAX_PAGES = 600;
/** A page with a picture or two, in base64. */
const CHARS_PER_PAGE = 75_000;

function decodeBytes(base64: string): Uint8Array {
  const binary = decodeBinaryString(base64);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** What is written in base64, a letter a byte; nothing where it is not base64. */
function decodeBinaryString(base64: string): string {
  try {
    return atob(base64.slice(0, base64.length & ~3));
  } catch {
    return "";
  }
}
