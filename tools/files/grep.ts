import * as v from "valibot";
import { ToolError } from "../errors.ts";
import { FILE_TYPES } from "./file_types.ts";
import { compileGlob } from "../patterns/glob_pattern.ts";
import type { Entry, Files, Pattern } from "../host/files.ts";
import { compilePattern } from "../patterns/line_pattern.ts";
import { Page } from "./pager.ts";
import { findLines, type SearchedText, type SearchOptions, showMatches } from "./search_text.ts";
import { decodeText, toLines } from "../formats/text.ts";
import { defineTool } from "../tool.ts";

const lines = (description: string) =>
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
  "-B": lines("How many lines before each match to show, with content"),
  "-A": lines("How many lines after each match to show, with content"),
  "-C": lines("How many lines before and after each match to show, with content"),
  "-n": flag("Whether lines are numbered, with content; they are if nothing is said"),
  "-i": flag("Whether upper and lower case are the same"),
  "-o": flag("Whether only what matches is shown rather than its lines, with content"),
  multiline: flag("Whether . takes line breaks and a match may go over lines"),
  head_limit: lines("How many lines or files to show; 250 if nothing is said"),
  offset: lines("How many lines or files to leave out before"),
  case_sensitive: flag("The opposite of -i"),
  max_matches: lines("How many matching lines to show, with content"),
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
      select: toSelect(input),
    });
    const sorted = mode === "files_with_matches" ? newestFirst(entries) : entries;
    const found = await sift(files, sorted, pattern);
    const page = new Page({
      limit: input.head_limit ?? input.max_matches ?? MAX_SHOWN,
      offset: input.offset ?? 0,
    });
    const left = { unread: 0, cut: 0 };
    for await (const text of readTexts(files, found, { reach: options.pattern.reach, left, ...pattern })) {
      for await (const line of show(text, mode, options)) {
        if (!page.add(line)) break;
      }
      if (page.full) break;
    }
    return page.show({ ...left, complete });
  },
});

type Mode = "content" | "files_with_matches" | "count";

/** How many lines or files are shown where nothing is said. */
const MAX_SHOWN = 250;

/** From how many files on it is worth asking which of them surely hold nothing. */
const MANY = 20;

function toSearch(
  input: v.InferOutput<typeof Input>,
  files: Files,
): { mode: Mode; pattern: Pattern; options: SearchOptions } {
  const { case_sensitive, max_matches, multiline = false } = input;
  const source = multiline ? `(?s)${input.pattern}` : input.pattern;
  const pattern = { source, ignoreCase: input["-i"] ?? case_sensitive === false, multiline };
  // Who speaks of matches wants to see them.
  const content = max_matches !== undefined || case_sensitive !== undefined;
  const around = input["-C"] ?? 0;
  const options = {
    pattern: compilePattern(source, pattern),
    multiline,
    only: input["-o"] ?? false,
    before: Math.min(MAX_AROUND, input["-B"] ?? around),
    after: Math.min(MAX_AROUND, input["-A"] ?? around),
    numbered: input["-n"] ?? true,
    pause: () => files.pause(),
  };
  return { mode: input.output_mode ?? (content ? "content" : "files_with_matches"), pattern, options };
}

/** How many lines around a match are shown at the most. */
const MAX_AROUND = 100;

/** Which files are searched, by their paths from the folder that is searched. */
function toSelect(
  { glob = "", type }: v.InferOutput<typeof Input>,
): (path: string, kind: Entry["kind"]) => boolean {
  const types = type === undefined || type === "" ? undefined : FILE_TYPES.get(type);
  if (type && types === undefined) {
    const known = [...FILE_TYPES.keys()].join(", ");
    throw new ToolError(
      `Cannot search files of type ${JSON.stringify(type)}: known are ${known}; or use glob`,
    );
  }
  const ofType = types?.map(compileGlob);
  const globs = splitGlobs(glob);
  const wanted = globs.filter((pattern) => !pattern.startsWith("!")).map(compileGlob);
  const unwanted = globs.filter((pattern) => pattern.startsWith("!")).map((pattern) =>
    compileGlob(pattern.slice(1))
  );
  return (path, kind) =>
    kind === "file" && (ofType?.some((matches) => matches(path)) ?? true) &&
    (wanted.length === 0 || wanted.some((matches) => matches(path))) &&
    !unwanted.some((matches) => matches(path));
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

async function sift(files: Files, entries: readonly Entry[], pattern: Pattern): Promise<readonly string[]> {
  const paths = entries.map(({ path }) => path);
  return paths.length < MANY ? paths : await files.sift(paths, pattern);
}

interface ReadTextsOptions {
  reach: number;
  multiline: boolean;
  /** Counts what could not be searched. */
  left: { unread: number; cut: number };
}

/** Reads what is text, and counts what cannot be read; if that is the only file, it says why. */
async function* readTexts(
  files: Files,
  paths: readonly string[],
  { reach, multiline, left }: ReadTextsOptions,
): AsyncGenerator<SearchedText> {
  for (const path of paths) {
    try {
      const text = decodeText((await files.read(`./${path}`)).bytes)?.text;
      if (text === undefined) continue;
      const lines = toLines(text);
      if (multiline ? text.length > reach : lines.some((line) => line.length > reach)) left.cut += 1;
      yield { path, lines };
    } catch (error) {
      if (!(error instanceof ToolError) || paths.length === 1) throw error;
      left.unread += 1;
    }
  }
}

async function* show(text: SearchedText, mode: Mode, options: SearchOptions): AsyncGenerator<string> {
  if (mode === "content") return yield* showMatches(text, options);
  let found = 0;
  for await (const _ of findLines(text, options)) {
    found += 1;
    if (mode === "files_with_matches") break;
  }
  if (found > 0) yield mode === "count" ? `${text.path}:${found}` : text.path;
}
