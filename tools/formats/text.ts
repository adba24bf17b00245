import { ToolError } from "../errors.ts";

/** What a file says, if it says it in letters. */
export interface DecodedText {
  /** Without the mark that some editors put first. */
  text: string;
  /** Whether that mark is there. */
  bom: boolean;
  /** Whether the text, written as UTF-8, gives the same bytes again. */
  exact: boolean;
}

/** Reads bytes as text: UTF-8, or UTF-16 that says so; nothing if they are none. */
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
 * Reads a file as text of which a part can be changed while the rest stays as it is.
 *
 * @throws {ToolError} if it is no text, or not in UTF-8.
 */
export function readEditable({ path, bytes }: { path: string; bytes: Uint8Array<ArrayBuffer> }): DecodedText {
  const text = decodeText(bytes);
  if (text === undefined) throw new ToolError(`Cannot change "${path}": it is a binary file`);
  if (!text.exact) throw new ToolError(`Cannot change "${path}": it is not in UTF-8, and would be damaged`);
  return text;
}

/** Writes text as UTF-8, behind the mark if it had one. */
export function encodeText(text: string, { bom = false }: { bom?: boolean } = {}): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(bom ? `\ufeff${text}` : text);
}

/** Cuts text into lines, without what ends them; a last line that is empty is none. */
export function toLines(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The longest line that is shown whole. */
export const MAX_LINE_CHARS = 2000;

/** Shows a line as `cat -n` does; of a long one the beginning, and how much there is more. */
export function numberLine(number: number, line: string): string {
  return `${String(number).padStart(6)}\t${truncateLine(line)}`;
}

/** Shows a line, of a long one the beginning, and how much there is more. */
export function truncateLine(line: string): string {
  if (line.length <= MAX_LINE_CHARS) return line;
  return `${line.slice(0, MAX_LINE_CHARS)}… [${line.length - MAX_LINE_CHARS} more characters]`;
}

/** Says how many: `1 line`, `2 lines`. */
export function pluralize(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function decode(bytes: Uint8Array<ArrayBuffer>, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}
