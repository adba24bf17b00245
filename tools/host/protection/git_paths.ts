import { lstat, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { HOOK_NAMES, parseGitSettings, toNamedPaths } from "../../policy/git_settings.ts";
import { ToolError } from "../../errors.ts";
import { quotePath } from "../../policy/files.ts";
import { systemErrorCode } from "../files/file_errors.ts";
import { isInside } from "../is_inside.ts";

/** A folder that git takes for a repository, and the folder that its relative paths start at. */
export interface GitFolder {
  /** The folder with `HEAD` and `config`. */
  folder: string;
  worktree: string;
}

/** Maximum size of a file of settings, and maximum number of files that include each other. */
const MAX_SETTINGS_BYTES = 1024 * 1024;
const MAX_INCLUDES = 20;

/**
 * Returns the paths in the workspace that the settings of a repository name: folders of hooks, included settings and
 * programs. They need not exist. Settings outside the workspace are not read.
 *
 * @throws {ToolError} if settings are too large.
 */
export async function readGitPaths(root: string, { folder, worktree }: GitFolder): Promise<string[]> {
  const named = new Set<string>();
  const queue = ["config", "config.worktree"].map((name) => join(folder, name));
  const common = await readPointer(join(folder, "commondir"));
  if (common !== undefined) queue.push(join(resolve(folder, common), "config"));
  const read = new Set<string>();
  for (let file = queue.shift(); file !== undefined && read.size < MAX_INCLUDES; file = queue.shift()) {
    if (read.has(file) || !isInside(root, file)) continue;
    read.add(file);
    for (const setting of toNamedPaths(parseGitSettings(await readText(file)))) {
      const path = resolve(setting.base === "worktree" ? worktree : dirname(file), setting.path);
      // A path above the repository would make the whole workspace read-only. As hooks, it names some files only.
      const paths = isInside(path, worktree)
        ? setting.isHooks ? HOOK_NAMES.map((name) => join(path, name)) : []
        : [path];
      for (const one of paths.filter((one) => isInside(root, one))) named.add(one);
      if (setting.isSettings) queue.push(path);
    }
  }
  return [...named];
}

/** Returns the repository of a working folder, from its `.git`; undefined if it is not one or is outside the workspace. */
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
  const text = (await readText(file)).replace(/^gitdir:\s*/, "").trim();
  return text === "" ? undefined : text;
}

/** Returns an empty text if there is no such file. */
async function readText(file: string): Promise<string> {
  try {
    const { size } = await lstat(file);
    if (size > MAX_SETTINGS_BYTES) {
      throw new ToolError(
        `Cannot protect what git executes: ${quotePath(file)} has more than ${MAX_SETTINGS_BYTES} bytes`,
      );
    }
    return await readFile(file, "utf8");
  } catch (error) {
    const code = systemErrorCode(error) ?? "";
    if (["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"].includes(code)) return "";
    throw error;
  }
}
