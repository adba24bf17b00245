import type { Dirent } from "node:fs";
import { lstat } from "node:fs/promises";
import { type FilePolicy, MAX_ENTRIES } from "../../policy/files.ts";
import type { Directory } from "./directory.ts";
import type { GitIgnore } from "./git_ignore.ts";
import { systemErrorCode } from "./file_errors.ts";

/** An entry of a folder. */
export interface Entry {
  /** Path relative to the workspace root. */
  path: string;
  kind: "file" | "folder" | "link" | "other";
  /** Size of a file in bytes. */
  size: number;
  /** Time of the last change, in milliseconds since 1970. */
  modified: number;
}

/** Result of a walk. */
export interface WalkResult {
  entries: Entry[];
  /** False if a limit ended the walk early. */
  complete: boolean;
}

/** Options of a walk. */
export interface WalkOptions {
  /** Number of folder levels to visit; 1 visits only the entries of the folder itself. */
  depth?: number;
  /** True to include names that begin with a dot. */
  hidden: boolean;
  /** True to include files and folders that `.gitignore` files exclude. */
  ignored: boolean;
  /** Returns true to exclude an entry, and all content of a folder. The path is relative to the start folder. */
  skip?(path: string): boolean;
  /** Returns true to include an entry in the result. The path is relative to the start folder. */
  select?(path: string, kind: Entry["kind"]): boolean;
  /** Maximum number of entries in the result. */
  limit?: number;
}

/** Maximum depth of a walk. */
const MAX_DEPTH = 64;

/** Folders of version control systems, which are never listed. */
const VERSION_CONTROL_FOLDERS = new Set([".git", ".hg", ".svn", ".jj"]);

/** Visits the entries of a folder and its subfolders, sorted by name. Links are listed but not followed. */
export async function walk(
  start: Directory,
  { depth = MAX_DEPTH, hidden, ignored, skip, select, limit = Infinity }: WalkOptions,
  { policy, signal, rules }: { policy: FilePolicy; signal: AbortSignal; rules: GitIgnore },
): Promise<WalkResult> {
  const entries: Entry[] = [];
  let remaining = policy.maxEntries ?? MAX_ENTRIES;
  let complete = true;

  async function visit(directory: Directory, level: number, above: GitIgnore): Promise<void> {
    const dirents = await directory.list();
    const below = ignored
      ? above
      : await above.enter(directory, dirents.map(({ name }) => name), { policy, signal });
    for (const dirent of dirents) {
      signal.throwIfAborted();
      if (remaining <= 0 || entries.length >= limit) return void (complete = false);
      remaining -= 1;
      if (VERSION_CONTROL_FOLDERS.has(dirent.name) || (!hidden && dirent.name.startsWith("."))) continue;
      const kind = entryKind(dirent);
      const path = [...directory.path, dirent.name];
      if (!ignored && below.ignores(path, kind === "folder")) continue;
      const relativePath = path.slice(start.path.length).join("/");
      if (skip?.(relativePath)) continue;
      if (select?.(relativePath, kind) ?? true) {
        const entry = await statEntry(directory, dirent.name, kind);
        if (entry !== undefined) entries.push(entry);
      }
      if (kind !== "folder" || level >= depth) continue;
      if (level >= MAX_DEPTH) complete = false;
      else await visitFolder(directory, dirent.name, (inner) => visit(inner, level + 1, below));
    }
  }

  await visit(start, 1, rules);
  return { entries, complete };
}

/** Visits a subfolder; skips it if it has been replaced or become unreadable since it was listed. */
async function visitFolder(
  directory: Directory,
  name: string,
  visit: (inner: Directory) => Promise<void>,
): Promise<void> {
  let inner: Directory;
  try {
    inner = await directory.enter(name);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return;
  }
  try {
    await visit(inner);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  } finally {
    await inner.close();
  }
}

function entryKind(entry: Dirent): Entry["kind"] {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}

/** Returns undefined if the entry no longer exists or cannot be read. */
async function statEntry(
  directory: Directory,
  name: string,
  kind: Entry["kind"],
): Promise<Entry | undefined> {
  try {
    const { size, mtimeMs } = await lstat(directory.pathOf(name));
    return { path: [...directory.path, name].join("/"), kind, size, modified: mtimeMs };
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}
