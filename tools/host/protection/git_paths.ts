import { realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { HOOK_NAMES, parseGitSettings, toNamedPaths } from "../../policy/git_settings.ts";
import { systemErrorCode } from "../files/file_errors.ts";
import { isInside } from "../is_inside.ts";
import { readSettings } from "./read_settings.ts";

/** A folder that git takes for a repository, and the folder that its relative paths start at. */
export interface GitFolder {
  /** The folder with `HEAD` and `config`. */
  folder: string;
  worktree: string;
}

/** Maximum number of files of settings that include each other. */
const MAX_INCLUDES = 20;

/**
 * Returns the paths in the workspace that a repository names: by its settings, folders of hooks, included settings and
 * programs; by links, the files that are its hooks. They need not exist. Settings outside the workspace are not read.
 *
 * @throws {ToolError} if settings are too large.
 */
export async function readGitPaths(root: string, { folder, worktree }: GitFolder): Promise<string[]> {
  const named = new Set<string>();
  const hooks = HOOK_NAMES.map((name) => join(folder, "hooks", name));
  const queue = ["config", "config.worktree"].map((name) => join(folder, name));
  const common = await readPointer(join(folder, "commondir"));
  if (common !== undefined) queue.push(join(resolve(folder, common), "config"));
  const read = new Set<string>();
  for (let file = queue.shift(); file !== undefined && read.size < MAX_INCLUDES; file = queue.shift()) {
    if (read.has(file) || !isInside(root, file)) continue;
    read.add(file);
    for (const setting of toNamedPaths(parseGitSettings(await readSettings(file)))) {
      const base = setting.base === "worktree" ? worktree : dirname(file);
      for (const path of resolvePaths(setting.path, base, root)) {
        const hookPaths = setting.isHooks ? HOOK_NAMES.map((name) => join(path, name)) : [];
        hooks.push(...hookPaths);
        // A path above the repository would make the whole workspace read-only. As hooks, it names some files only.
        const paths = isInside(path, worktree) ? hookPaths : [path];
        for (const one of paths.filter((one) => isInside(root, one))) named.add(one);
        if (setting.isSettings) queue.push(path);
      }
    }
  }
  const targets = await Promise.all([...named, ...hooks].map(followLinks));
  for (const target of targets) if (target !== undefined && isInside(root, target)) named.add(target);
  return [...named];
}

/**
 * Returns the paths that a path in settings may mean. `~/` is the home folder of who runs git, which is not known: any
 * folder above the workspace.
 */
function resolvePaths(path: string, base: string, root: string): string[] {
  if (!path.startsWith("~/")) return [resolve(base, path)];
  const homes = [root];
  for (let home = root; home !== dirname(home);) homes.push(home = dirname(home));
  return homes.map((home) => join(home, path.slice(2)));
}

/** Returns the path to which links lead; undefined if there is no link. */
async function followLinks(path: string): Promise<string | undefined> {
  try {
    const target = await realpath(path);
    return target === path ? undefined : target;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * Returns the repository of a working folder, from its `.git`; undefined if it is not one or is outside the workspace.
 */
export async function findGitFolder(root: string, worktree: string): Promise<GitFolder | undefined> {
  const git = join(worktree, ".git");
  try {
    const { isDirectory } = await stat(git).then((found) => ({ isDirectory: found.isDirectory() }));
    const pointer = isDirectory ? undefined : await readPointer(git);
    const folder = isDirectory ? git : pointer === undefined ? undefined : resolve(worktree, pointer);
    return folder !== undefined && isInside(root, folder) ? { folder, worktree } : undefined;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** True if the settings of a repository that contains a path name it, or a folder above it. */
export async function isNamedByGit(root: string, segments: readonly string[]): Promise<boolean> {
  const path = join(root, ...segments);
  for (const depth of segments.keys()) {
    const gitFolder = await findGitFolder(root, join(root, ...segments.slice(0, depth)));
    if (gitFolder === undefined) continue;
    if ((await readGitPaths(root, gitFolder)).some((named) => isInside(named, path))) return true;
  }
  return false;
}

/** Reads a file such as `gitdir: ../.git/modules/x`, or a plain path. Returns undefined if there is none. */
async function readPointer(file: string): Promise<string | undefined> {
  const text = (await readSettings(file)).replace(/^gitdir:\s*/, "").trim();
  return text === "" ? undefined : text;
}
