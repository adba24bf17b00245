import { ToolError } from "../errors.ts";

/** A file decoded as text. */
export interface DecodedText {
  /** The text without its byte order mark. */
  text: string;
  /** True if the file begins with a byte order mark. */
  bom: boolean;
  /** True if {@linkcode encodeText} restores the same bytes. */
  exact: boolean;
}

/** Decodes UTF-8, or UTF-16 with a byte order mark. Returns undefined for binary data, which contains NUL. */
export function decodeText(bytes: Uint8Array<ArrayBuffer>): DecodedText | undefined {
  const [first = 0, second = 0, third = 0] = bytes;
  if (first === 0xff && second === 0xfe) return { text: decode(bytes, "utf-16le"), bom: true, exact: false };
  if (first === 0xfe && second === 0xff) return { text: decode(bytes, "utf-16be"), bom: true, exact: false };
  if (bytes.includes(0)) return undefined;
  const bom = first === 0xef && second === 0xbb && third === 0xbf;
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), bom, exact: true };
  } catch {
    return { text: decode(bytes, "utf-8"), bom, exact: false };
  }
}

/**
 * Decodes a file as text that can be changed in part while the rest stays the same.
 *
 * @throws {ToolError} if it is binary, or not in UTF-8.
 */
export function readEditable({ path, bytes }: { path: string; bytes: Uint8Array<ArrayBuffer> }): DecodedText {
  const text = decodeText(bytes);
  if (text === undefined) throw new ToolError(`Cannot change "${path}": it is a binary file`);
  if (!text.exact) {
    throw new ToolError(`Cannot change "${path}": it is not in UTF-8, so a change would damage it`);
  }
  return text;
}

/** Encodes text as UTF-8, with a byte order mark if `bom` is set. */
export function encodeText(text: string, { bom = false }: { bom?: boolean } = {}): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(bom ? `\ufeff${text}` : text);
}

/** Splits text into lines without their line endings. An empty last line is dropped. */
export function toLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Maximum characters shown of a line. */
const MAX_LINE_CHARS = 2000;

/** Formats a line as `cat -n` does. A long line is truncated. */
export function numberLine(number: number, line: string): string {
  return `${String(number).padStart(6)}\t${truncateLine(line)}`;
}

/** Truncates a long line, and appends the number of characters left out. */
export function truncateLine(line: string): string {
  if (line.length <= MAX_LINE_CHARS) return line;
  return `${line.slice(0, MAX_LINE_CHARS)}… [${line.length - MAX_LINE_CHARS} more characters]`;
}

/** Formats a number with its noun: `1 line`, `2 lines`. */
export function pluralize(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function decode(bytes: Uint8Array<ArrayBuffer>, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}
