import type { LinePattern } from "../patterns/line_pattern.ts";
import { truncateLine } from "../formats/text.ts";

/** How a text is searched, and how matches are shown. */
export interface LineSearchOptions {
  pattern: LinePattern;
  multiline: boolean;
  /** True to show only the matching text instead of whole lines. */
  onlyMatching: boolean;
  /** Number of lines shown before each match, and after it. */
  before: number;
  after: number;
  numbered: boolean;
  /** Yields to other work. */
  pause(): Promise<void>;
}

/** The lines of a file to search. */
export interface TextLines {
  path: string;
  lines: readonly string[];
}

/** Yields the index of each line with a match. */
export async function* findLines({ lines }: TextLines, options: LineSearchOptions): AsyncGenerator<number> {
  const { pattern, multiline, pause } = options;
  if (!multiline) {
    for (const [number, line] of lines.entries()) {
      if (pattern.shouldPause()) await pause();
      if (pattern.test(line.slice(0, pattern.maxChars))) yield number;
    }
    return;
  }
  let last = -1;
  for await (const { first, pieces } of findMultilineMatches(lines, options)) {
    const final = first + pieces.length - 1;
    for (let number = Math.max(first, last + 1); number <= final; number += 1) yield number;
    last = Math.max(last, final);
  }
}

/** Yields matches in the format of ripgrep: `path:12:text`, and `path-11-text` for lines of context. */
export async function* showMatches(text: TextLines, options: LineSearchOptions): AsyncGenerator<string> {
  const { path, lines } = text;
  const { before, after, numbered, onlyMatching } = options;
  const show = (number: number, separator: string, line = lines[number] ?? "") =>
    `${path}${separator}${numbered ? `${number + 1}${separator}` : ""}${truncateLine(line)}`;
  if (onlyMatching) {
    for await (const { number, piece } of findMatchedText(text, options)) yield show(number, ":", piece);
    return;
  }
  // The first line that has not been shown, and the end (exclusive) of the context after the last match.
  let next = 0;
  let contextEnd = 0;
  for await (const number of findLines(text, options)) {
    for (; next < Math.min(contextEnd, number); next += 1) yield show(next, "-");
    const start = Math.max(next, number - before);
    if (before + after > 0 && contextEnd > 0 && start > next) yield "--";
    for (next = start; next < number; next += 1) yield show(next, "-");
    yield show(number, ":");
    next = number + 1;
    contextEnd = next + after;
  }
  for (; next < Math.min(contextEnd, lines.length); next += 1) yield show(next, "-");
}

async function* findMatchedText(
  { lines }: TextLines,
  options: LineSearchOptions,
): AsyncGenerator<{ number: number; piece: string }> {
  const { pattern, multiline, pause } = options;
  if (multiline) {
    for await (const { first, pieces } of findMultilineMatches(lines, options)) {
      for (const [index, piece] of pieces.entries()) yield { number: first + index, piece };
    }
    return;
  }
  for (const [number, line] of lines.entries()) {
    if (pattern.shouldPause()) await pause();
    const part = line.slice(0, pattern.maxChars);
    if (!pattern.test(part)) continue;
    for (const { start, end } of pattern.find(part)) {
      if (pattern.shouldPause()) await pause();
      if (end > start) yield { number, piece: part.slice(start, end) };
    }
  }
}

/** Yields matches that may span lines: the index of the first line, and the matching part of each line. */
async function* findMultilineMatches(
  lines: readonly string[],
  { pattern, pause }: LineSearchOptions,
): AsyncGenerator<{ first: number; pieces: string[] }> {
  const text = lines.join("\n").slice(0, pattern.maxChars);
  if (pattern.shouldPause()) await pause();
  if (!pattern.test(text)) return;
  let number = 0;
  let position = 0;
  for (const { start, end } of pattern.find(text)) {
    if (pattern.shouldPause()) await pause();
    for (
      let length = lines[number]?.length ?? 0;
      position + length < start;
      length = lines[number]?.length ?? 0
    ) {
      position += length + 1;
      number += 1;
    }
    yield { first: number, pieces: text.slice(start, end).replace(/\n$/, "").split("\n") };
  }
}
