import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ToolError } from "../../errors.ts";
import { quotePath } from "../../policy/files.ts";
import { PROTECTED_IN_GIT } from "../../policy/protected.ts";
import { normalizeName, PROTECTED_NAMES } from "../../policy/protected_names.ts";
import { systemErrorCode } from "../files/file_errors.ts";
import { isInside } from "../is_inside.ts";
import { findGitFolder, type GitFolder, readGitPaths } from "./git_paths.ts";

/** Files and folders of a workspace that other programs execute or obey. */
export interface WorkspaceScan {
  /** Paths of files, folders and links. None is inside another one, except for those that git's settings name. */
  protectedPaths: ReadonlySet<string>;
  /** Repositories, whose content may change but for the protected paths in it. */
  gitFolders: readonly GitFolder[];
}

/** Number of folders that are read at the same time. */
const BATCH = 32;

/**
 * Finds the protected files and folders of a workspace, at any depth. Links are not followed. Only `node_modules` is left
 * out.
 *
 * @throws {ToolError} if a folder cannot be read, or there are more than `maxEntries` entries: what was not looked
 * through is not protected.
 */
export async function scanWorkspace(root: string, maxEntries: number): Promise<WorkspaceScan> {
  const protectedPaths = new Set<string>();
  const gitFolders: GitFolder[] = [];
  const linkedWorktrees: string[] = [];
  let remaining = maxEntries;

  /** Returns the subfolders that may contain protected files. */
  async function visit(folder: string): Promise<string[]> {
    const entries = await list(folder, root);
    remaining -= entries.length;
    if (remaining < 0) throw tooLarge(maxEntries);
    const isRepository = isGitFolder(entries);
    const isDotGit = basename(folder) === ".git";
    if (isRepository) {
      gitFolders.push({ folder, worktree: isDotGit ? dirname(folder) : folder });
      for (const name of PROTECTED_IN_GIT) {
        if (entries.some((entry) => entry.name === name)) protectedPaths.add(join(folder, name));
      }
    } else if (isDotGit) {
      // It must not become a repository.
      protectedPaths.add(folder);
    }
    if (isDotGit) return [];
    return entries.flatMap((entry) => {
      const path = join(folder, entry.name);
      if (protectedPaths.has(path)) return [];
      const isFolder = entry.isDirectory();
      const isGit = entry.name === ".git";
      if (isGit && !isFolder) linkedWorktrees.push(folder);
      // On some file systems `.GIT` and `git~1` are `.git`.
      const isDisguisedGit = !isGit && [".git", "git~1"].includes(normalizeName(entry.name));
      if (PROTECTED_NAMES.matches(entry.name, basename(folder)) || isDisguisedGit || (isGit && !isFolder)) {
        protectedPaths.add(path);
        return [];
      }
      return isFolder && entry.name !== "node_modules" ? [path] : [];
    });
  }

  let level = [root];
  while (level.length > 0) {
    const next: string[] = [];
    for (let at = 0; at < level.length; at += BATCH) {
      for (const folders of await Promise.all(level.slice(at, at + BATCH).map(visit))) next.push(...folders);
    }
    level = next;
  }
  const linked = await Promise.all(linkedWorktrees.map((worktree) => findGitFolder(root, worktree)));
  for (const gitFolder of [...gitFolders, ...linked.filter((one) => one !== undefined)]) {
    for (const path of await readGitPaths(root, gitFolder)) {
      if (!isInside(gitFolder.folder, path) && !protectedPaths.has(path)) protectedPaths.add(path);
    }
  }
  return { protectedPaths, gitFolders };
}

/** True for the content of a repository. Source: https://git-scm.com/docs/gitrepository-layout */
function isGitFolder(entries: readonly Dirent[]): boolean {
  const names = new Set(entries.map(({ name }) => name));
  return names.has("HEAD") && (names.has("commondir") || (names.has("objects") && names.has("refs")));
}

async function list(folder: string, root: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const code = systemErrorCode(cause);
    // Another program has removed or replaced it, unless its name is not UTF-8: it was listed under another one.
    if ((code === "ENOENT" || code === "ENOTDIR") && !folder.includes("\ufffd")) return [];
    throw new ToolError(
      `Cannot run commands: the folder ${
        quotePath(folder.slice(root.length + 1))
      } cannot be read, so that files in it ` +
        "that other programs execute cannot be protected; the operator must make it readable or remove it",
      { cause },
    );
  }
}

function tooLarge(maxEntries: number): ToolError {
  return new ToolError(
    `Cannot run commands: the workspace has more than ${maxEntries} files and folders outside node_modules, so that ` +
      "those that other programs execute cannot be protected; the operator must set WORKSPACE_ROOT to a smaller folder",
  );
}
