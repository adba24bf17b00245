import { ToolError } from "../errors.ts";
import { PROTECTED } from "./protected.ts";

/** Which files may be read and written. */
export interface FilePolicy {
  /** The workspace: an absolute path, without links on the way. */
  readonly root: string;
  readonly write: boolean;
  /** The most bytes of one file; 16 MiB where nothing is said. */
  readonly maxBytes?: number | undefined;
  /** The most files and folders that one search looks at; 100,000 where nothing is said. */
  readonly maxEntries?: number | undefined;
  /** Names that may not be written beside those that never may, such as `.env`; they count at any depth and in any case. */
  readonly protectedNames?: readonly string[] | undefined;
  /** Where ripgrep is, as an absolute path; "off" is nowhere, and where nothing is said the usual places are looked at. */
  readonly ripgrep?: string | undefined;
}

/** The most bytes of one file where the owner says nothing. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The most files and folders that one search looks at where the owner says nothing. */
export const MAX_ENTRIES = 100_000;

/** The longest path that Linux takes. */
const MAX_PATH_CHARS = 4096;

/**
 * Says where in the workspace a path leads, as the names on the way from its root; a path that is not absolute
 * begins there. Only words are looked at: what links make of them is for whoever opens the path to see.
 *
 * @throws {ToolError} if it leads out of the workspace or can be no path.
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
    throw new ToolError(`Cannot use ${quotePath(path)}: it is too long for a path`);
  }
  if (path.includes("\0")) throw new ToolError(`Cannot use ${quotePath(path)}: it holds a NUL character`);
  if (!path.isWellFormed()) throw new ToolError(`Cannot use ${quotePath(path)}: it is not valid Unicode`);
  if (/^~(\/|$)/.test(path)) {
    throw new ToolError(
      `Cannot use ${quotePath(path)}: there is no home folder; paths begin at the workspace`,
    );
  }
  const inside = resolveSegments([], path, policy);
  if (inside === undefined) {
    throw new ToolError(
      `Cannot use ${quotePath(path)}: it is outside of the workspace; give a path relative to its root`,
    );
  }
  return inside;
}

/** Says where a link in a folder of the workspace leads, or nothing if it leads out. */
export function resolveLink(
  folder: readonly string[],
  target: string,
  policy: FilePolicy,
): string[] | undefined {
  return resolveSegments(folder, target, policy);
}

/**
 * Whether a file is one that acts on the owner's behalf as soon as it is there: hooks and settings of git, of
 * editors, shells, package managers and of agents. It counts whether it exists or not, and however its name is
 * written, for some file systems take `.GIT` and names with invisible characters for `.git`.
 */
export function isProtected(segments: readonly string[], { protectedNames = [] }: FilePolicy): boolean {
  const extraNames = protectedNames.map(normalizeName);
  const names = segments.map(normalizeName);
  // A file of the name HEAD is what makes a folder a repository to git, whose settings run programs.
  return names.at(-1) === "head" ||
    names.some((name) => PROTECTED_FROM_TOOLS.has(name) || extraNames.includes(name));
}

/** Shows a path to a model: in quotes, on one line, not too long. */
export function quotePath(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}

/** Beside what commands may not write either: whole repositories, and what acts for one person's account alone. */
const PROTECTED_FROM_TOOLS: ReadonlySet<string> = new Set([
  ...PROTECTED,
  ...[".git", "git~1", ".hg", ".hgrc", ".svn", ".jj", ".claude.json"],
  ...[".vimrc", ".exrc", ".nvimrc", ".nvim.lua", ".gdbinit", ".lldbinit", ".dir-locals.el"],
  ...[".bash_aliases", ".login", ".kshrc", ".cshrc", ".tcshrc", ".inputrc", ".netrc", ".ssh", ".gnupg"],
  ...[".npmrc", ".yarnrc", ".yarnrc.yml", ".pnpmfile.cjs", ".pypirc"],
]);

function normalizeName(name: string): string {
  const visible = name.replace(/\p{Default_Ignorable_Code_Point}/gu, "").normalize("NFKC").toLowerCase();
  // Windows takes `.git.`, `.git ` and `.git::$DATA` for `.git`.
  return visible.replace(/:.*$/s, "").replace(/[. ]+$/, "");
}

/** Resolves a path as words, from a folder below the root. */
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
