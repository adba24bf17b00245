import * as v from "valibot";
import { compileGlob, splitGlob } from "../patterns/glob_pattern.ts";
import { defineTool } from "../tool.ts";

/** Maximum number of files shown. */
const MAX_SHOWN_FILES = 100;

/** Finds files by a pattern of their paths. */
export const glob = defineTool({
  name: "Glob",
  description:
    `Finds files by a pattern of their paths such as "src/**/*.{ts,tsx}", most recently changed first, at most ` +
    `${MAX_SHOWN_FILES}. A pattern without a slash matches names at any depth. Files and folders ignored by .gitignore ` +
    "are left out, unless the pattern or the path itself leads into such a folder.",
  group: "files-read",
  hints: { readOnly: true, openWorld: false },
  input: v.object({
    pattern: v.pipe(v.string(), v.minLength(1), v.description("The pattern, with *, **, ?, [a-z] and {a,b}")),
    path: v.optional(
      v.pipe(v.string(), v.description("The folder to search. Default: the workspace")),
    ),
  }),
  aliases: { directory: "path" },
  async run({ pattern, path = "." }, { files }) {
    const { folder, rest } = splitGlob(pattern);
    const matches = compileGlob(folder === "" && !pattern.startsWith("/") ? rest : `./${rest}`);
    const start = folder.startsWith("/") || folder === "" ? folder || path : `${path || "."}/${folder}`;
    const { entries, complete } = await files.walk(start || "/", {
      hidden: true,
      ignored: false,
      select: (name, kind) => kind === "file" && matches(name),
    });
    if (entries.length === 0) return complete ? "No files found" : `No files found ${INCOMPLETE_NOTE}`;
    const newest = entries.sort((a, b) => b.modified - a.modified || (a.path < b.path ? -1 : 1));
    const lines = newest.slice(0, MAX_SHOWN_FILES).map((entry) => entry.path);
    if (entries.length > MAX_SHOWN_FILES) {
      lines.push(`(${entries.length - MAX_SHOWN_FILES} more; narrow the pattern or the path)`);
    }
    if (!complete) lines.push(INCOMPLETE_NOTE);
    return lines.join("\n");
  },
});

const INCOMPLETE_NOTE = "(there are too many files to search all of them; set path)";
