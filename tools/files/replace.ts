import { ToolError } from "../errors.ts";
import { numberLine, pluralize, toLines } from "../formats/text.ts";

/** One replacement of a text. */
export interface Replacement {
  old_string: string;
  new_string: string;
  /** Whether every occurrence is meant. */
  replace_all?: boolean | undefined;
  /** How many occurrences are meant, if not one. */
  expected_replacements?: number | undefined;
}

/** A text with what has been put into it. */
export interface EditedText {
  text: string;
  /** Where the new pieces are. */
  changes: readonly TextRange[];
}

interface TextRange {
  start: number;
  end: number;
}

/**
 * Replaces a piece of a text that is there once, or as often as is said. Ends of lines need not be those of the
 * text: what is put in gets those of the text, and all else stays as it is, to the last byte.
 *
 * @throws {ToolError} if it is not there, or not so often.
 */
export function replace({ text, changes }: EditedText, change: Replacement): EditedText {
  const { old_string: old, new_string: next, replace_all: all = false, expected_replacements: expected } =
    change;
  if (old === next) throw new ToolError("Cannot edit: old_string and new_string are the same");
  if (old === "") {
    throw new ToolError(
      "Cannot edit: old_string is empty; only a file that is not there, or empty, has none",
    );
  }
  const found = findAll(text, old);
  if (found.length === 0) {
    throw new ToolError(`Cannot edit: old_string is not in the file${notFoundHint(text, old)}`);
  }
  if (!all && found.length !== (expected ?? 1)) {
    throw new ToolError(countMismatchMessage(found.length, expected));
  }
  return replaceRanges({ text, changes }, found, next);
}

/** Shows the lines around what has been put in, numbered as they are now. */
export function showChanges({ text, changes }: EditedText): string {
  const lines = toLines(text);
  const starts = lineStarts(text);
  const lineAt = (position: number) => {
    let low = 0;
    for (let high = starts.length; high - low > 1;) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= position) low = middle;
      else high = middle;
    }
    return low;
  };
  const shown = new Set<number>();
  for (const { start, end } of [...changes].sort((a, b) => a.start - b.start)) {
    const last = Math.min(lines.length - 1, lineAt(Math.max(start, end - 1)) + CONTEXT_LINES);
    for (
      let line = Math.max(0, lineAt(start) - CONTEXT_LINES);
      line <= last && shown.size < MAX_SHOWN_LINES;
      line += 1
    ) {
      shown.add(line);
    }
  }
  const out: string[] = [];
  let previous = -1;
  for (const line of [...shown].sort((a, b) => a - b)) {
    if (previous !== -1 && line !== previous + 1) out.push("   ...");
    out.push(numberLine(line + 1, lines[line] ?? ""));
    previous = line;
  }
  if (shown.size >= MAX_SHOWN_LINES) {
    out.push(`   ... (the first ${MAX_SHOWN_LINES} lines of what has changed)`);
  }
  return out.join("\n");
}

/** How many lines are shown before and after a piece. */
const CONTEXT_LINES = 4;

/** How many lines are shown at the most. */
const MAX_SHOWN_LINES = 80;

/** How often a piece may be in a text. */
const MAX_OCCURRENCES = 100_000;

/** How long a text may become, in characters. */
const MAX_TEXT_CHARS = 64 * 1024 * 1024;

/** Finds every place of a piece that is told with other ends of lines, perhaps. */
function findAll(text: string, old: string): TextRange[] {
  const plain = text.replaceAll("\r\n", "\n");
  const normalized = old.replaceAll("\r\n", "\n");
  const toOriginalOffset = createOffsetMapper(text);
  const found: TextRange[] = [];
  for (
    let at = plain.indexOf(normalized);
    at !== -1;
    at = plain.indexOf(normalized, at + normalized.length)
  ) {
    if (found.length === MAX_OCCURRENCES) {
      throw new ToolError(`Cannot edit: old_string is in the file more than ${MAX_OCCURRENCES} times`);
    }
    found.push({ start: toOriginalOffset(at), end: toOriginalOffset(at + normalized.length) });
  }
  return found;
}

/** Says where in a text a position is that was counted without the first halves of its CR LF; positions must rise. */
function createOffsetMapper(text: string): (plain: number) => number {
  let before = 0;
  let next = text.indexOf("\r\n");
  return (plain) => {
    while (next !== -1 && next - before < plain) {
      before += 1;
      next = text.indexOf("\r\n", next + 2);
    }
    return plain + before;
  };
}

function replaceRanges({ text, changes }: EditedText, found: readonly TextRange[], next: string): EditedText {
  const ending = /\r?\n/.exec(text)?.[0] ?? "\n";
  const inserted = next.replaceAll("\r\n", "\n").replaceAll("\n", ending);
  if (text.length + found.length * inserted.length > MAX_TEXT_CHARS) {
    throw new ToolError("Cannot edit: the file would become too large");
  }
  const parts: string[] = [];
  const added: TextRange[] = [];
  let copiedTo = 0;
  let length = 0;
  for (const { start, end } of found) {
    parts.push(text.slice(copiedTo, start), inserted);
    length += start - copiedTo + inserted.length;
    added.push({ start: length - inserted.length, end: length });
    copiedTo = end;
  }
  parts.push(text.slice(copiedTo));
  const shift = (position: number) => {
    const last = found.findLastIndex(({ end }) => end <= position);
    return position - (found[last]?.end ?? 0) + (added[last]?.end ?? 0);
  };
  const kept = changes.map(({ start, end }) => ({ start: shift(start), end: shift(end) }));
  return { text: parts.join(""), changes: [...kept, ...added].slice(0, MAX_SHOWN_LINES) };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function countMismatchMessage(found: number, expected: number | undefined): string {
  const message = `Cannot edit: old_string is in the file ${pluralize(found, "time")}`;
  return expected === undefined
    ? `${message}; say more of what is around the one that is meant, or set replace_all`
    : `${message}, and ${expected} were expected`;
}

/** What may have gone wrong with a piece that is not there. */
function notFoundHint(text: string, old: string): string {
  if (/^\s*\d+[\t→]/.test(old)) return "; leave out the numbers of the lines";
  const squeeze = (value: string) => value.replace(/\s+/g, " ").trim();
  if (squeeze(old) !== "" && squeeze(text).includes(squeeze(old))) {
    return "; it is there with other spaces or line breaks, copy them as they are";
  }
  return "; read the file again and copy the piece as it is there";
}
