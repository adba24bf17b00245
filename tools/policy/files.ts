import { ToolError } from "../errors.ts";
import { compileNames, normalizeName, PROTECTED_NAMES } from "./protected_names.ts";

/** Limits and permissions for files of the workspace. */
export interface FilePolicy {
  /** Absolute path of the workspace, without symbolic links. */
  readonly root: string;
  readonly write: boolean;
  /** Maximum size of a file in bytes. Default: 16 MiB. */
  readonly maxBytes?: number | undefined;
  /** Maximum number of files and folders that one search visits. Default: 100,000. */
  readonly maxEntries?: number | undefined;
  /** Additional protected names, such as `.env`. They apply at any depth and regardless of letter case. */
  readonly protectedNames?: readonly string[] | undefined;
  /** Absolute path of ripgrep; `off` disables it. Default: its usual locations are searched. */
  readonly ripgrep?: string | undefined;
}

/** Default maximum size of a file in bytes. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Default maximum number of files and folders that one search visits. */
export const MAX_ENTRIES = 100_000;

/** Longest path that Linux accepts. */
const MAX_PATH_CHARS = 4096;

/**
 * Returns the segments of a path below the workspace root. A relative path starts at the root.
 *
 * The check is lexical. Symbolic links must be resolved when the path is opened.
 *
 * @throws {ToolError} if the path is outside the workspace or not a valid path.
 *
 * @example Usage
 * ```ts
 * import { resolvePath } from "./files.ts";
 * import { deepEqual, throws } from "node:assert/strict";
 *
 * const policy = { root: "/srv/ws", write: false };
 * deepEqual(resolvePath("lib/../mod.ts", policy), ["mod.ts"]);
 * deepEqual(resolvePath("/srv/ws/mod.ts", policy), ["mod.ts"]);
 * throws(() => resolvePath("/srv/ws-too/mod.ts", policy));
 * ```
 */
export function resolvePath(path: string, policy: FilePolicy): string[] {
  if (path.length > MAX_PATH_CHARS) {
    throw new ToolError(`Cannot use ${quotePath(path)}: the path is too long`);
  }
  if (path.includes("\0")) throw new ToolError(`Cannot use ${quotePath(path)}: it contains a NUL character`);
  if (!path.isWellFormed()) throw new ToolError(`Cannot use ${quotePath(path)}: it is not valid Unicode`);
  if (/^~(\/|$)/.test(path)) {
    throw new ToolError(
      `Cannot use ${quotePath(path)}: there is no home folder; paths are relative to the workspace`,
    );
  }
  const inside = resolveSegments([], path, policy);
  if (inside === undefined) {
    throw new ToolError(
      `Cannot use ${quotePath(path)}: it is outside the workspace; use a path relative to its root`,
    );
  }
  return inside;
}

/** Returns the segments of a link's target, or undefined if it is outside the workspace. */
export function resolveLink(
  folder: readonly string[],
  target: string,
  policy: FilePolicy,
): string[] | undefined {
  return resolveSegments(folder, target, policy);
}

/**
 * True for files that other programs execute or obey as soon as they exist: hooks and settings of git, editors,
 * shells, package managers and agents.
 *
 * The check uses names only; the file need not exist. Names are normalized, because some file systems treat `.GIT`
 * and names with invisible characters as `.git`.
 */
export function isProtected(segments: readonly string[], { protectedNames = [] }: FilePolicy): boolean {
  const extraNames = compileNames([...protectedNames, ".git", "git~1"]);
  // Git takes a folder with a file named HEAD for a repository, and repository settings can run programs.
  return normalizeName(segments.at(-1) ?? "") === "head" || segments.some((name, at) => {
    const folder = segments[at - 1];
    return PROTECTED_NAMES.matches(name, folder) || extraNames.matches(name, folder);
  });
}

/** Quotes a path for a message: on one line, at most 200 characters of it. */
export function quotePath(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}

/** Resolves a path lexically from a folder below the root; returns undefined if it is outside the workspace. */
function resolveSegments(
  folder: readonly string[],
  path: string,
  { root }: FilePolicy,
): string[] | undefined {
  const windows = /^[a-z]:/i.test(root);
  const split = (text: string) => text.split(windows ? /[\\/]/ : "/").filter((name) => name !== "");
  const base = split(root);
  const absolute = windows ? /^([a-z]:|[\\/])/i.test(path) : path.startsWith("/");
  const full = absolute ? [] : [...base, ...folder];
  for (const name of split(path)) {
    if (name === "..") full.pop();
    else if (name !== ".") full.push(name);
  }
  if (base.some((name, index) => full[index] !== name)) return undefined;
  const inside = full.slice(base.length);
  return windows && inside.some((name) => name.includes(":")) ? undefined : inside;
}
