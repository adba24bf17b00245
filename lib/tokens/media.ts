import type { DocumentBlock, ImageBlock } from "../anthropic/schema.ts";
import { type ImageSize, readImageSize } from "./image_size.ts";

/** Estimates the tokens of a picture; one that cannot be looked at costs as much as one can. */
export function countImage({ source }: ImageBlock): number {
  return source.type === "base64" ? countPixels(source.data) : MOST_OF_IMAGE;
}

/** Estimates the tokens of a file, as far as it is not text. */
export function countFile({ source }: DocumentBlock): number {
  switch (source.type) {
    case "text":
    case "content":
      return 0;
    case "base64":
      return TOKENS_PER_PAGE * guessPages(source.data);
    default:
      return UNKNOWN_FILE;
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
  const size = sizeIn(base64, SHORT_HEAD) ?? sizeIn(base64, LONG_HEAD);
  if (size === undefined) return MOST_OF_IMAGE;
  const { width, height } = size;
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return Math.max(1, Math.min(MOST_OF_IMAGE, Math.ceil(width * scale * height * scale / PIXELS_PER_TOKEN)));
}

const MOST_OF_IMAGE = 1600;
const LONGEST_SIDE = 1568;
const PIXELS_PER_TOKEN = 750;
/** Enough for most; but a photograph may carry a small copy of itself and more before it says its size. */
const SHORT_HEAD = 1024;
const LONG_HEAD = 128 * 1024;

function sizeIn(base64: string, length: number): ImageSize | undefined {
  return readImageSize(toBytes(base64.slice(0, length)));
}

/** A page is read as its text and as a picture. Source: https://platform.claude.com/docs/en/build-with-claude/pdf-support */
const TOKENS_PER_PAGE = 2000;
const UNKNOWN_FILE = 3000;

/** Guesses the pages of a PDF: by what its head or its end says, where that is not packed, otherwise by its weight. */
export function guessPages(base64: string): number {
  const end = Math.max(0, base64.length - PDF_PIECE) & ~3;
  const letters = toLetters(base64.slice(0, PDF_PIECE)) + toLetters(base64.slice(end));
  const linear = Number(/\/Linearized\b[^>]{0,200}?\/N (\d{1,5})/.exec(letters)?.[1] ?? 0);
  const counts = Array.from(letters.matchAll(/\/Count (\d{1,5})\b/g), ([, count]) => Number(count));
  const told = Math.max(linear, ...counts);
  return told > 0 ? Math.min(told, MOST_PAGES) : Math.max(1, Math.round(base64.length / CHARS_PER_PAGE));
}

const PDF_PIECE = 64 * 1024;
/** The most pages that Claude takes. */
const MOST_PAGES = 600;
/** A page with a picture or two, in base64. */
const CHARS_PER_PAGE = 75_000;

function toBytes(base64: string): Uint8Array {
  const letters = toLetters(base64);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

/** What is written in base64, a letter a byte; nothing where it is not base64. */
function toLetters(base64: string): string {
  try {
    return atob(base64.slice(0, base64.length & ~3));
  } catch {
    return "";
  }
}
