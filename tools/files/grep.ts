import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { FILE_TYPES } from "./file_types.ts";
import { compileGlob } from "../patterns/glob_pattern.ts";
import type { Entry, Files, SearchPattern } from "../host/files.ts";
import { compilePattern } from "../patterns/line_pattern.ts";
import { Pager } from "./pager.ts";
import { findLines, type LineSearchOptions, showMatches, type TextLines } from "./search_text.ts";
import { decodeText, toLines } from "../formats/text.ts";
import { defineTool } from "../tool.ts";

const lineCount = (description: string) =>
  v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.description(description)));
const flag = (description: string) => v.optional(v.pipe(v.boolean(), v.description(description)));

const Input = v.object({
  pattern: v.pipe(v.string(), v.minLength(1), v.description("A regular expression in RE2 syntax")),
  path: v.optional(v.pipe(v.string(), v.description("The file or folder to search. Default: the workspace"))),
  glob: v.optional(
    v.pipe(
      v.string(),
      v.description('The files to search, such as "*.{ts,tsx}"; with "!" before it, the files to leave out'),
    ),
  ),
  type: v.optional(
    v.pipe(v.string(), v.description("The files to search, by language: js, ts, py, rust, go, java, …")),
  ),
  output_mode: v.optional(v.pipe(
    v.picklist(["content", "files_with_matches", "count"]),
    v.description(
      "Matching lines, the paths of files with matches (default), or the number of matching lines per file",
    ),
  )),
  "-B": lineCount("With content: the number of lines to show before each match"),
  "-A": lineCount("With content: the number of lines to show after each match"),
  "-C": lineCount("With content: the number of lines to show before and after each match"),
  "-n": flag("With content: show line numbers. Default: true"),
  "-i": flag("Ignore case"),
  "-o": flag("With content: show only the matching text instead of whole lines"),
  multiline: flag(". matches line breaks, and a match may span lines"),
  head_limit: lineCount("The number of lines or files to show. Default: 250"),
  offset: lineCount("The number of lines or files to skip first"),
  case_sensitive: flag("The opposite of -i"),
  max_matches: lineCount("With content: the number of matching lines to show"),
});

/** Searches files for a regular expression. */
export const grep = defineTool({
  name: "Grep",
  description:
    "Searches the files of the workspace for a regular expression, line by line. Files and folders ignored by " +
    ".gitignore are left out, unless path is such a folder; binary files are left out too.",
  group: "files-read",
  hints: { readOnly: true, openWorld: false },
  input: Input,
  aliases: {
    "context": "-C",
    "case_insensitive": "-i",
    "ignore_case": "-i",
    "include": "glob",
    "directory": "path",
    "query": "pattern",
  },
  async run(input, { files }) {
    const { mode, pattern, options } = toSearch(input, files);
    const { entries, complete } = await files.walk(input.path || ".", {
      hidden: true,
      ignored: false,
      select: fileFilter(input),
    });
    const sorted = mode === "files_with_matches" ? newestFirst(entries) : entries;
    const skipped = { unread: 0, cut: 0 };
    // ripgrep would search them to their end.
    const readable = sorted.length === 1 ? sorted : sorted.filter(({ size }) => size <= files.maxFileBytes);
    skipped.unread += sorted.length - readable.length;
    const found = await prefilter(files, readable, pattern);
    const pager = new Pager({
      limit: input.head_limit ?? input.max_matches ?? DEFAULT_HEAD_LIMIT,
      offset: input.offset ?? 0,
    });
    for await (
      const text of readTexts(files, found, {
        maxChars: options.pattern.maxChars,
        isOnlyFile: sorted.length === 1,
        skipped,
        ...pattern,
      })
    ) {
      for await (const line of formatText(text, mode, options)) {
        if (!pager.add(line)) break;
      }
      if (pager.full) break;
    }
    return pager.show({ ...skipped, complete });
  },
});

type Mode = "content" | "files_with_matches" | "count";

/** Default number of lines or files shown. */
const DEFAULT_HEAD_LIMIT = 250;

/** Minimum number of files for the prefilter. Below it, reading all files is cheaper. */
const MIN_PREFILTER_FILES = 20;

function toSearch(
  input: v.InferOutput<typeof Input>,
  files: Files,
): { mode: Mode; pattern: SearchPattern; options: LineSearchOptions } {
  const { case_sensitive, max_matches, multiline = false } = input;
  const source = multiline ? `(?s)${input.pattern}` : input.pattern;
  const pattern = { source, ignoreCase: input["-i"] ?? case_sensitive === false, multiline };
  // With one of these options, matching lines are the default.
  const contentOptionSet = max_matches !== undefined || case_sensitive !== undefined;
  const contextLines = input["-C"] ?? 0;
  const options = {
    pattern: compilePattern(source, pattern),
    multiline,
    onlyMatching: input["-o"] ?? false,
    before: Math.min(MAX_CONTEXT_LINES, input["-B"] ?? contextLines),
    after: Math.min(MAX_CONTEXT_LINES, input["-A"] ?? contextLines),
    numbered: input["-n"] ?? true,
    pause: () => files.pause(),
  };
  return {
    mode: input.output_mode ?? (contentOptionSet ? "content" : "files_with_matches"),
    pattern,
    options,
  };
}

/** Maximum number of lines shown before a match, and after it. */
const MAX_CONTEXT_LINES = 100;

/** Creates the filter for `glob` and `type`. It receives paths relative to the searched folder. */
function fileFilter(
  { glob = "", type }: v.InferOutput<typeof Input>,
): (path: string, kind: Entry["kind"]) => boolean {
  const types = type === undefined || type === "" ? undefined : FILE_TYPES.get(type);
  if (type && types === undefined) {
    const knownTypes = [...FILE_TYPES.keys()].join(", ");
    throw new ToolError(
      `Cannot search files of type ${JSON.stringify(type)}: known types are ${knownTypes}; or use glob`,
    );
  }
  const typeMatchers = types?.map(compileGlob);
  const globs = splitGlobs(glob);
  const included = globs.filter((pattern) => !pattern.startsWith("!")).map(compileGlob);
  const excluded = globs.filter((pattern) => pattern.startsWith("!")).map((pattern) =>
    compileGlob(pattern.slice(1))
  );
  return (path, kind) =>
    kind === "file" && (typeMatchers?.some((matches) => matches(path)) ?? true) &&
    (included.length === 0 || included.some((matches) => matches(path))) &&
    !excluded.some((matches) => matches(path));
}

/** Splits a list of patterns at spaces and commas outside braces. */
function splitGlobs(globs: string): string[] {
  const split = globs.match(/(?:\{[^}]*\}|[^\s,{]|\{)+/g) ?? [];
  if (split.length > 50) throw new ToolError("Cannot search: glob has more than 50 patterns");
  return split;
}

function newestFirst(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => b.modified - a.modified || (a.path < b.path ? -1 : 1));
}

async function prefilter(
  files: Files,
  entries: readonly Entry[],
  pattern: SearchPattern,
): Promise<readonly string[]> {
  const paths = entries.map(({ path }) => path);
  return paths.length < MIN_PREFILTER_FILES ? paths : await files.prefilter(paths, pattern);
}

interface ReadTextsOptions {
  maxChars: number;
  multiline: boolean;
  /** True if the search is of one file. */
  isOnlyFile: boolean;
  /** Numbers of files not read, and of files searched in part. */
  skipped: { unread: number; cut: number };
}

/**
 * Yields the lines of each text file. Skips binary files, and counts files that cannot be read.
 *
 * @throws {ToolError} if there is only one file, and it cannot be read.
 */
async function* readTexts(
  files: Files,
  paths: readonly string[],
  { maxChars, multiline, skipped, isOnlyFile }: ReadTextsOptions,
): AsyncGenerator<TextLines> {
  for (const path of paths) {
    try {
      const text = decodeText((await files.read(`./${path}`)).bytes)?.text;
      if (text === undefined) continue;
      const lines = toLines(text);
      if (multiline ? text.length > maxChars : lines.some((line) => line.length > maxChars)) skipped.cut += 1;
      yield { path, lines };
    } catch (error) {
      if (!(error instanceof ToolError) || isOnlyFile) throw error;
      skipped.unread += 1;
    }
  }
}

async function* formatText(text: TextLines, mode: Mode, options: LineSearchOptions): AsyncGenerator<string> {
  if (mode === "content") return yield* showMatches(text, options);
  let found = 0;
  for await (const _ of findLines(text, options)) {
    found += 1;
    if (mode === "files_with_matches") break;
  }
  if (found > 0) yield mode === "count" ? `${text.path}:${found}` : text.path;
}
