import { join } from "node:path";
import { parseGitSettings } from "../../policy/git_settings.ts";
import { readSettings } from "./read_settings.ts";

/** A file with the state of an operation in progress, which `git rebase --continue` and the like obey. */
interface StateFile {
  /** Path in the repository. */
  path: string;
  /** Returns what runs programs. */
  findCommands(text: string): string[];
}

/**
 * State files that can name programs. Git appends a strategy to `git-merge-` and executes the result, which a strategy
 * such as `/../evil` makes a path in the working folder.
 *
 * Source: `sequencer.c` and `merge.c` of git 2.51
 */
export const STATE_FILES: readonly StateFile[] = [
  {
    path: "rebase-merge/git-rebase-todo",
    findCommands: (text) => text.split("\n").filter((line) => /^\s*(x|exec)\b/i.test(line)),
  },
  {
    path: "rebase-merge/strategy",
    findCommands: (text) => text.includes("/") ? [text] : [],
  },
  {
    path: "sequencer/opts",
    findCommands: (text) =>
      parseGitSettings(text).filter(({ name, value }) => name === "options.strategy" && value.includes("/"))
        .map(({ value }) => value),
  },
];

/**
 * Returns what a state file of a repository runs.
 *
 * @throws {ToolError} if the file has more than 1 MiB.
 */
export async function readStateCommands(
  gitFolder: string,
  { path, findCommands }: StateFile,
): Promise<Set<string>> {
  return new Set(findCommands(await readSettings(join(gitFolder, path))));
}
