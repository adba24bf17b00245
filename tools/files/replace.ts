import { ToolError } from "../errors.ts";
import { numberLine, pluralize, toLines } from "../formats/text.ts";

/** One replacement in a text. */
export interface Replacement {
  old_string: string;
  new_string: string;
  /** True to replace every occurrence. */
  replace_all?: boolean | undefined;
  /** Expected number of occurrences, if not one. All of them are replaced. */
  expected_replacements?: number | undefined;
}

/** A text, and the ranges that edits have changed in it. */
export interface EditedText {
  text: string;
  /** Ranges of the inserted strings. */
  changes: readonly TextRange[];
}

interface TextRange {
  start: number;
  end: number;
}

/**
 * Replaces a string that occurs once in a text, or as often as expected. Line endings may differ from those of the
 * text: the new string gets the line endings of the text. All else stays unchanged, to the byte.
 *
 * @throws {ToolError} if the string does not occur, or not as often as expected.
 */
export function replace({ text, changes }: EditedText, change: Replacement): EditedText {
  const { old_string: old, new_string: next, replace_all: all = false, expected_replacements: expected } =
    change;
  if (old === next) throw new ToolError("Cannot edit: old_string and new_string are the same");
  if (old === "") {
    throw new ToolError(
      "Cannot edit: old_string is empty; this is allowed only for a missing or empty file",
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

/** Returns the changed lines and the lines around them, with their new numbers. */
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
    out.push(`   ... (only the first ${MAX_SHOWN_LINES} lines of the changes are shown)`);
  }
  return out.join("\n");
}

/** Number of lines shown before a change, and after it. */
const CONTEXT_LINES = 4;

/** Maximum number of lines shown. */
const MAX_SHOWN_LINES = 80;

/** Maximum number of occurrences of a string. */
const MAX_OCCURRENCES = 100_000;

/** Maximum length of the resulting text, in characters. */
const MAX_TEXT_CHARS = 64 * 1024 * 1024;

/** Finds every occurrence of a string, whose line endings may differ from those of the text. */
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
      throw new ToolError(`Cannot edit: old_string occurs more than ${MAX_OCCURRENCES} times in the file`);
    }
    found.push({ start: toOriginalOffset(at), end: toOriginalOffset(at + normalized.length) });
  }
  return found;
}

/**
 * Returns a function that maps an offset in the text with LF line endings to the offset in the original text. It must
 * be called with ascending offsets.
 */
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
  const message = `Cannot edit: old_string occurs ${pluralize(found, "time")} in the file`;
  return expected === undefined
    ? `${message}; include more of the surrounding text, or set replace_all`
    : `${message}, but ${expected} were expected`;
}

/** Returns the likely reason why a string was not found, or advice. */
function notFoundHint(text: string, old: string): string {
  if (/^\s*\d+[\t→]/.test(old)) return "; leave out the line numbers";
  const squeeze = (value: string) => value.replace(/\s+/g, " ").trim();
  if (squeeze(old) !== "" && squeeze(text).includes(squeeze(old))) {
    return "; it occurs with different spaces or line breaks, copy them exactly";
  }
  return "; read the file again and copy the string exactly";
}
