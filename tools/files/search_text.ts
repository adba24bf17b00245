import type { LinePattern } from "../patterns/line_pattern.ts";
import { cutLine } from "../formats/text.ts";

/** How a text is searched, and what is shown of it. */
export interface SearchOptions {
  pattern: LinePattern;
  multiline: boolean;
  /** Whether only what matches is shown, rather than its whole lines. */
  only: boolean;
  /** How many lines are shown before and after each match. */
  before: number;
  after: number;
  numbered: boolean;
  /** Lets others have their turn. */
  pause(): Promise<void>;
}

/** A text that is searched. */
export interface SearchedText {
  path: string;
  lines: readonly string[];
}

/** Says the numbers of the lines in which there are matches, from 0. */
export async function* findLines({ lines }: SearchedText, options: SearchOptions): AsyncGenerator<number> {
  const { pattern, multiline, pause } = options;
  if (!multiline) {
    for (const [number, line] of lines.entries()) {
      if (pattern.isTired()) await pause();
      if (pattern.test(line.slice(0, pattern.reach))) yield number;
    }
    return;
  }
  let last = -1;
  for await (const { first, pieces } of findSpans(lines, options)) {
    const final = first + pieces.length - 1;
    for (let number = Math.max(first, last + 1); number <= final; number += 1) yield number;
    last = Math.max(last, final);
  }
}

/** Shows what was found, as ripgrep does: `path:12:text`, and `path-11-text` of what is around. */
export async function* showMatches(text: SearchedText, options: SearchOptions): AsyncGenerator<string> {
  const { path, lines } = text;
  const { before, after, numbered, only } = options;
  const show = (number: number, sign: string, line = lines[number] ?? "") =>
    `${path}${sign}${numbered ? `${number + 1}${sign}` : ""}${cutLine(line)}`;
  if (only) {
    for await (const { number, piece } of findPieces(text, options)) yield show(number, ":", piece);
    return;
  }
  // The first line that has not been shown, and the one before which what is around the last match ends.
  let next = 0;
  let wanted = 0;
  for await (const number of findLines(text, options)) {
    for (; next < Math.min(wanted, number); next += 1) yield show(next, "-");
    const start = Math.max(next, number - before);
    if (before + after > 0 && wanted > 0 && start > next) yield "--";
    for (next = start; next < number; next += 1) yield show(next, "-");
    yield show(number, ":");
    next = number + 1;
    wanted = next + after;
  }
  for (; next < Math.min(wanted, lines.length); next += 1) yield show(next, "-");
}

async function* findPieces(
  { lines }: SearchedText,
  options: SearchOptions,
): AsyncGenerator<{ number: number; piece: string }> {
  const { pattern, multiline, pause } = options;
  if (multiline) {
    for await (const { first, pieces } of findSpans(lines, options)) {
      for (const [index, piece] of pieces.entries()) yield { number: first + index, piece };
    }
    return;
  }
  for (const [number, line] of lines.entries()) {
    if (pattern.isTired()) await pause();
    const part = line.slice(0, pattern.reach);
    if (!pattern.test(part)) continue;
    for (const { start, end } of pattern.find(part)) {
      if (pattern.isTired()) await pause();
      if (end > start) yield { number, piece: part.slice(start, end) };
    }
  }
}

/** Matches that may go over lines: the first line of each, and what it has of that line and of each one after. */
async function* findSpans(
  lines: readonly string[],
  { pattern, pause }: SearchOptions,
): AsyncGenerator<{ first: number; pieces: string[] }> {
  const text = lines.join("\n").slice(0, pattern.reach);
  if (pattern.isTired()) await pause();
  if (!pattern.test(text)) return;
  let number = 0;
  let position = 0;
  for (const { start, end } of pattern.find(text)) {
    if (pattern.isTired()) await pause();
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
