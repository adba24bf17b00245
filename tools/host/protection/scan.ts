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
  /** Links inside protected folders. Where they lead may be outside of these. */
  links: ReadonlySet<string>;
  /** Repositories, whose content may change but for the protected paths in it. */
  gitFolders: readonly GitFolder[];
  /** Why a part of the workspace was not looked through, if so: what is there is not protected. */
  problem: ToolError | undefined;
}

/** Options of {@linkcode scanWorkspace}. */
export interface ScanOptions {
  maxEntries: number;
  /** Gives the gateway the permissions to read a folder, after which it is tried again. */
  openFolder?: (folder: string) => Promise<void>;
}

/** Number of folders that are read at the same time. */
const BATCH = 32;

/**
 * Finds the protected files and folders of a workspace, at any depth. Links are not followed. Only `node_modules` is
 * left out.
 *
 * A folder that cannot be read, and more than `maxEntries` entries, are a problem in the result. The rest is looked
 * through nevertheless, so that a command cannot keep its files by creating such a folder.
 */
export async function scanWorkspace(
  root: string,
  { maxEntries, openFolder }: ScanOptions,
): Promise<WorkspaceScan> {
  const protectedPaths = new Set<string>();
  const gitFolders: GitFolder[] = [];
  const linkedWorktrees: string[] = [];
  const links = new Set<string>();
  const protectedFolders: string[] = [];
  let remaining = maxEntries;
  let problem: ToolError | undefined;
  const note = (found: ToolError) => problem ??= found;

  async function listCounted(folder: string): Promise<Dirent[]> {
    if (remaining < 0) return [];
    const entries = await list(folder, { root, openFolder }).catch(onToolError(note, []));
    remaining -= entries.length;
    if (remaining < 0) note(tooLarge(maxEntries));
    return entries;
  }

  /** Notes the links in a protected folder, and returns its subfolders. */
  async function visitProtected(folder: string): Promise<string[]> {
    const entries = await listCounted(folder);
    for (const entry of entries) if (entry.isSymbolicLink()) links.add(join(folder, entry.name));
    return entries.filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
      .map(({ name }) => join(folder, name));
  }

  /** Returns the subfolders that may contain protected files. */
  async function visit(folder: string): Promise<string[]> {
    const entries = await listCounted(folder);
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
      // A link `.cargo` leads to a folder that is looked through under its own name.
      const isLinkedFolder = entry.isSymbolicLink() && PROTECTED_NAMES.hasFolder(entry.name);
      if (
        PROTECTED_NAMES.matches(entry.name, basename(folder)) || isDisguisedGit || isLinkedFolder ||
        (isGit && !isFolder)
      ) {
        protectedPaths.add(path);
        if (isFolder) protectedFolders.push(path);
        return [];
      }
      return isFolder && entry.name !== "node_modules" ? [path] : [];
    });
  }

  await walk([root], visit);
  await walk(protectedFolders, visitProtected);
  const linked = await Promise.all(
    linkedWorktrees.map((worktree) => findGitFolder(root, worktree).catch(onToolError(note, undefined))),
  );
  for (const gitFolder of [...gitFolders, ...linked.filter((one) => one !== undefined)]) {
    for (const path of await readGitPaths(root, gitFolder).catch(onToolError(note, []))) {
      if (!isInside(gitFolder.folder, path) && !isCovered(path, protectedPaths)) protectedPaths.add(path);
    }
  }
  return { protectedPaths, links, gitFolders, problem };
}

/** Visits folders and those that each visit returns, level by level. */
async function walk(folders: readonly string[], visit: (folder: string) => Promise<string[]>): Promise<void> {
  for (let level = folders; level.length > 0;) {
    const next: string[] = [];
    for (let at = 0; at < level.length; at += BATCH) {
      for (const found of await Promise.all(level.slice(at, at + BATCH).map(visit))) next.push(...found);
    }
    level = next;
  }
}

/** True if a path is one of the paths, or below one. */
export function isCovered(path: string, paths: ReadonlySet<string>): boolean {
  for (let at = path;; at = dirname(at)) {
    if (paths.has(at)) return true;
    if (at === dirname(at)) return false;
  }
}

/** Returns a handler that notes an error for the model and gives a result in its place. */
function onToolError<T>(note: (error: ToolError) => void, result: T): (error: unknown) => T {
  return (error) => {
    if (!(error instanceof ToolError)) throw error;
    note(error);
    return result;
  };
}

/** True for the content of a repository. Source: https://git-scm.com/docs/gitrepository-layout */
function isGitFolder(entries: readonly Dirent[]): boolean {
  const names = new Set(entries.map(({ name }) => name));
  return names.has("HEAD") && (names.has("commondir") || (names.has("objects") && names.has("refs")));
}

async function list(
  folder: string,
  { root, openFolder }: Pick<ScanOptions, "openFolder"> & { root: string },
): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const code = systemErrorCode(cause);
    // Another program has removed or replaced it, unless its name is not UTF-8: it was listed under another one.
    if ((code === "ENOENT" || code === "ENOTDIR") && !folder.includes("\ufffd")) return [];
    if (code === "EACCES" && openFolder !== undefined) {
      return await openFolder(folder).then(
        () => list(folder, { root }),
        () => {
          throw unreadable(folder, root, cause);
        },
      );
    }
    throw unreadable(folder, root, cause);
  }
}

function unreadable(folder: string, root: string, cause: unknown): ToolError {
  const name = quotePath(folder.slice(root.length + 1));
  return new ToolError(
    `Cannot run commands: the folder ${name} cannot be read, so that files in it that other programs execute ` +
      "cannot be protected; the operator must make it readable or remove it",
    { cause },
  );
}

function tooLarge(maxEntries: number): ToolError {
  return new ToolError(
    `Cannot run commands: the workspace has more than ${maxEntries} files and folders outside node_modules, so that ` +
      "those that other programs execute cannot be protected; the operator must set WORKSPACE_ROOT to a smaller folder",
  );
}
