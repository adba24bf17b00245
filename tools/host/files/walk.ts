import type { Dirent } from "node:fs";
import { lstat } from "node:fs/promises";
import { type FilePolicy, MAX_ENTRIES } from "../../policy/files.ts";
import type { Directory } from "./directory.ts";
import type { GitIgnore } from "./git_ignore.ts";
import { systemErrorCode } from "./file_errors.ts";

/** Something in a folder. */
export interface Entry {
  /** The way to it from the root of the workspace. */
  path: string;
  kind: "file" | "folder" | "link" | "other";
  /** Bytes, of a file. */
  size: number;
  /** When it was last changed, in milliseconds since 1970. */
  modified: number;
}

/** What a walk found. */
export interface WalkResult {
  entries: Entry[];
  /** Whether all was looked at. */
  complete: boolean;
}

/** What a walk looks at. */
export interface WalkOptions {
  /** How many folders deep; 1 is what the folder itself holds. */
  depth?: number;
  /** Whether names that begin with a dot count. */
  hidden: boolean;
  /** Whether folders are entered that `.gitignore` files name, and whether such files count. */
  ignored: boolean;
  /** What not to look at, folders with all that is in them, by its path from the folder where the walk began. */
  skip?(path: string): boolean;
  /** What to keep, by its path from the folder where the walk began. */
  select?(path: string, kind: Entry["kind"]): boolean;
  /** The most to keep. */
  limit?: number;
}

/** How deep folders may lie in one another. */
const MAX_DEPTH = 64;

/** What version control keeps for itself is never listed. */
const VERSION_CONTROL_FOLDERS = new Set([".git", ".hg", ".svn", ".jj"]);

/** Walks through a folder, in the order of names; links are named and not followed. */
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

/** Looks into a folder that may have become something else, or unreadable, since it was listed. */
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

/** Nothing if it is gone already. */
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
