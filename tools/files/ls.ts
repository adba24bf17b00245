import * as v from "valibot";
import { compileGlob } from "../patterns/glob_pattern.ts";
import type { Entry, Files } from "../host/files.ts";
import { defineTool } from "../tool.ts";

/** Maximum number of entries shown. */
const MAX_SHOWN_ENTRIES = 500;

/** Maximum depth of the tree. */
const MAX_DEPTH = 8;

/** Lists a folder as a tree. */
export const ls = defineTool({
  name: "LS",
  description:
    `Lists a folder as a tree, as deep as ${MAX_SHOWN_ENTRIES} entries allow. Hidden files, and files and folders ` +
    "ignored by .gitignore, are left out; all shows them. long adds sizes and times. To find files by name, use Glob.",
  group: "files-read",
  hints: { readOnly: true, openWorld: false },
  input: v.object({
    path: v.optional(v.pipe(v.string(), v.description("The folder to list. Default: the workspace"))),
    ignore: v.optional(
      v.pipe(v.array(v.string()), v.maxLength(50), v.description("Patterns of paths to leave out")),
    ),
    all: v.optional(v.pipe(v.boolean(), v.description("Show hidden and ignored files"))),
    long: v.optional(v.pipe(v.boolean(), v.description("Show sizes and times"))),
  }),
  aliases: { directory: "path", file_path: "path" },
  async run({ path = ".", ignore = [], all = false, long = false }, { files }) {
    const ignorePatterns = ignore.map(compileGlob);
    const { entries, complete, depth } = await walkToLimit(files, path || ".", {
      hidden: all,
      ignored: all,
      skip: (name) => ignorePatterns.some((matches) => matches(name)),
    });
    if (entries.length === 0) return "(empty)";
    const lines = formatTree(entries, long);
    if (!complete) {
      lines.push(`(there is more below the ${depth === 1 ? "entries" : "folders"} shown; list one of them)`);
    }
    return lines.join("\n");
  },
});

interface WalkFilter {
  hidden: boolean;
  ignored: boolean;
  skip(path: string): boolean;
}

/** Walks as deep as the limit allows, one level more at a time. Entries near the top thus come before deeper ones. */
async function walkToLimit(
  files: Files,
  path: string,
  { hidden, ignored, skip }: WalkFilter,
): Promise<{ entries: Entry[]; complete: boolean; depth: number }> {
  const walkTo = (depth: number) =>
    files.walk(path, { hidden, ignored, depth, limit: MAX_SHOWN_ENTRIES, skip });
  let shown = { ...await walkTo(1), depth: 1 };
  while (shown.complete && shown.depth < MAX_DEPTH) {
    const deeper = { ...await walkTo(shown.depth + 1), depth: shown.depth + 1 };
    if (deeper.complete && deeper.entries.length === shown.entries.length) return shown;
    if (!deeper.complete) return { ...shown, complete: false };
    shown = deeper;
  }
  return shown;
}

function formatTree(entries: readonly Entry[], long: boolean): string[] {
  const top = Math.min(...entries.map(({ path }) => path.split("/").length));
  return entries.map(({ path, kind, size, modified }) => {
    const names = path.split("/");
    const mark = { folder: "/", link: "@", other: " (not a regular file)", file: "" }[kind];
    const details = `  ${kind === "file" ? `${size} bytes, ` : ""}${
      new Date(modified).toISOString().slice(0, 19)
    }Z`;
    return `${"  ".repeat(names.length - top)}- ${showName(names.at(-1) ?? "")}${mark}${long ? details : ""}`;
  });
}

/** Quotes a name that contains control characters, such as line breaks. */
function showName(name: string): string {
  return /\p{Cc}/u.test(name) ? JSON.stringify(name) : name;
}
