import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../files/file_errors.ts";

/** Instructions of a rebase in progress, in a repository. `git rebase --continue` runs their commands. */
export const REBASE_INSTRUCTIONS = "rebase-merge/git-rebase-todo";

/** Returns the lines of a repository's rebase instructions that run commands. */
export async function readRebaseCommands(gitFolder: string): Promise<Set<string>> {
  try {
    const text = await readFile(join(gitFolder, REBASE_INSTRUCTIONS), "utf8");
    return new Set(text.split("\n").filter((line) => /^\s*(x|exec)\b/i.test(line)));
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(systemErrorCode(error) ?? "")) return new Set();
    throw error;
  }
}
