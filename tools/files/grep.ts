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
  pattern: v.pipe(v.string(), v.minLength(1), v.description("A regular expression in the words of RE2")),
  path: v.optional(v.pipe(v.string(), v.description("A file or folder; the workspace if nothing is said"))),
  glob: v.optional(
    v.pipe(v.string(), v.description('Which files, as "*.{ts,tsx}"; "!" before it says which not')),
  ),
  type: v.optional(
    v.pipe(v.string(), v.description("Which files, by language: js, ts, py, rust, go, java, …")),
  ),
  output_mode: v.optional(v.pipe(
    v.picklist(["content", "files_with_matches", "count"]),
    v.description(
      "Matching lines, the paths of files that have some (if nothing is said), or how many each has",
    ),
  )),
  "-B": lineCount("How many lines before each match to show, with content"),
  "-A": lineCount("How many lines after each match to show, with content"),
  "-C": lineCount("How many lines before and after each match to show, with content"),
  "-n": flag("Whether lines are numbered, with content; they are if nothing is said"),
  "-i": flag("Whether upper and lower case are the same"),
  "-o": flag("Whether only what matches is shown rather than its lines, with content"),
  multiline: flag("Whether . takes line breaks and a match may go over lines"),
  head_limit: lineCount("How many lines or files to show; 250 if nothing is said"),
  offset: lineCount("How many lines or files to leave out before"),
  case_sensitive: flag("The opposite of -i"),
  max_matches: lineCount("How many matching lines to show, with content"),
});

/** Searches in files. */
export const grep = defineTool({
  name: "Grep",
  description:
    "Searches in the files of the workspace for a regular expression, line by line. What .gitignore " +
    "names is left out, unless path is such a folder; binary files are too.",
  group: "files-read",
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
    const found = await prefilter(files, sorted, pattern);
    const pager = new Pager({
      limit: input.head_limit ?? input.max_matches ?? DEFAULT_HEAD_LIMIT,
      offset: input.offset ?? 0,
    });
    const skipped = { unread: 0, cut: 0 };
    for await (
      const text of readTexts(files, found, { maxChars: options.pattern.maxChars, skipped, ...pattern })
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

/** How many lines or files are shown where nothing is said. */
const DEFAULT_HEAD_LIMIT = 250;

/** From how many files on it is worth asking which of them surely hold nothing. */
const MIN_PREFILTER_FILES = 20;

function toSearch(
  input: v.InferOutput<typeof Input>,
  files: Files,
): { mode: Mode; pattern: SearchPattern; options: LineSearchOptions } {
  const { case_sensitive, max_matches, multiline = false } = input;
  const source = multiline ? `(?s)${input.pattern}` : input.pattern;
  const pattern = { source, ignoreCase: input["-i"] ?? case_sensitive === false, multiline };
  // Who speaks of matches wants to see them.
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

/** How many lines around a match are shown at the most. */
const MAX_CONTEXT_LINES = 100;

/** Which files are searched, by their paths from the folder that is searched. */
function fileFilter(
  { glob = "", type }: v.InferOutput<typeof Input>,
): (path: string, kind: Entry["kind"]) => boolean {
  const types = type === undefined || type === "" ? undefined : FILE_TYPES.get(type);
  if (type && types === undefined) {
    const knownTypes = [...FILE_TYPES.keys()].join(", ");
    throw new ToolError(
      `Cannot search files of type ${JSON.stringify(type)}: known are ${knownTypes}; or use glob`,
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

/** Several patterns may stand in one, with spaces or commas between. */
function splitGlobs(globs: string): string[] {
  const split = globs.match(/(?:\{[^}]*\}|[^\s,{]|\{)+/g) ?? [];
  if (split.length > 50) throw new ToolError("Cannot search: glob holds too many patterns");
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
  /** Counts what could not be searched. */
  skipped: { unread: number; cut: number };
}

/** Reads what is text, and counts what cannot be read; if that is the only file, it says why. */
async function* readTexts(
  files: Files,
  paths: readonly string[],
  { maxChars, multiline, skipped }: ReadTextsOptions,
): AsyncGenerator<TextLines> {
  for (const path of paths) {
    try {
      const text = decodeText((await files.read(`./${path}`)).bytes)?.text;
      if (text === undefined) continue;
      const lines = toLines(text);
      if (multiline ? text.length > maxChars : lines.some((line) => line.length > maxChars)) skipped.cut += 1;
      yield { path, lines };
    } catch (error) {
      if (!(error instanceof ToolError) || paths.length === 1) throw error;
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
