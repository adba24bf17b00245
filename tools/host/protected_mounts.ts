import type { Dirent } from "node:fs";
import { mkdir, readdir, readFile, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROTECTED, PROTECTED_IN_GIT } from "../policy/protected.ts";

/** What a sandbox holds fast in the workspace. */
export interface ProtectedMounts {
  /** What may be read only. */
  readOnly: string[];
  /** Folders that may change inside, and not be moved away and made anew. */
  fixed: string[];
  /** Takes away what stood in for missing paths, once no other command needs it. */
  release(): Promise<void>;
}

/** How deep, and among how many entries, protected paths are looked for, and how many are held at the most. */
const MAX_DEPTH = 4;
const MAX_ENTRIES = 20_000;
const MAX_PATHS = 400;

/** The repository itself too, where there is none: a new one could have hooks from its first moment. */
const ROOT_PATHS = [...PROTECTED, ".git"];
const NAMES = new Set(PROTECTED);

/** Git does not start where this is empty, or a folder; this says that what it looks for is where it is. */
const COMMON_DIR = "commondir";
const COMMON_DIR_TEXT = ".\n";

/**
 * Holds the protected paths of a workspace for the time of a command. A mount needs something to be mounted on, so
 * what is missing at the top, or in a repository, is stood in for by an empty folder, whatever it would be: of those
 * git takes no notice. They are there only while commands run.
 *
 * Returns what finds and makes them; links are left out, for nothing can be mounted on one.
 */
export function createMountProtection(root: string): () => Promise<ProtectedMounts> {
  const placeholders = new Set<string>();
  let commands = 0;

  return async () => {
    commands += 1;
    try {
      await createPlaceholders(root, ROOT_PATHS);
      const { readOnly, fixed } = await findProtected(root);
      for (const repository of fixed) {
        await createPlaceholders(repository, PROTECTED_IN_GIT);
        const entries = await list(repository);
        const protectedEntries = entries.filter((entry) =>
          PROTECTED_IN_GIT.includes(entry.name) && !entry.isSymbolicLink()
        );
        readOnly.push(...protectedEntries.map(({ name }) => join(repository, name)));
      }
      return { readOnly, fixed, release };
    } catch (error) {
      await release();
      throw error;
    }
  };

  async function createPlaceholders(folder: string, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const path = join(folder, name);
      const make = name === COMMON_DIR ? writeFile(path, COMMON_DIR_TEXT, { flag: "wx" }) : mkdir(path);
      // What cannot be made by us cannot be made by a command either.
      if (await succeeds(make)) placeholders.add(path);
    }
  }

  async function release(): Promise<void> {
    commands -= 1;
    if (commands > 0) return;
    const paths = [...placeholders];
    placeholders.clear();
    for (const path of paths) await succeeds(path.endsWith(COMMON_DIR) ? unlinkCommonDir(path) : rmdir(path));
  }
}

async function unlinkCommonDir(path: string): Promise<void> {
  if (await readFile(path, "utf8") === COMMON_DIR_TEXT) await unlink(path);
}

async function findProtected(root: string): Promise<Omit<ProtectedMounts, "release">> {
  const readOnly: string[] = [];
  const fixed: string[] = [];
  let level = [root];
  let remaining = MAX_ENTRIES;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const next: string[] = [];
    for (const folder of level) {
      const entries = await list(folder);
      remaining -= entries.length;
      if (remaining < 0) return { readOnly, fixed };
      for (const entry of entries) {
        if (readOnly.length + fixed.length === MAX_PATHS) return { readOnly, fixed };
        const path = join(folder, entry.name);
        if (entry.isSymbolicLink()) continue;
        if (entry.name === ".git") (await isRepository(path) ? fixed : readOnly).push(path);
        else if (NAMES.has(entry.name)) readOnly.push(path);
        else if (entry.isDirectory() && entry.name !== "node_modules") next.push(path);
      }
    }
    level = next;
  }
  return { readOnly, fixed };
}

/** A `.git` without a `HEAD` is none yet: it is to stay so. */
async function isRepository(path: string): Promise<boolean> {
  return (await list(path)).some(({ name }) => name === "HEAD");
}

/** What is in a folder, if it is one that can be read. */
async function list(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isExpectedError(error)) return [];
    throw error;
  }
}

async function succeeds(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (isExpectedError(error)) return false;
    throw error;
  }
}

const EXPECTED_ERRORS = [
  "EACCES",
  "EEXIST",
  "EISDIR",
  "ELOOP",
  "ENOENT",
  "ENOTDIR",
  "ENOTEMPTY",
  "EPERM",
  "EROFS",
];

/** Whether the file system said no, as opposed to having failed. */
function isExpectedError(error: unknown): boolean {
  return error instanceof Error && "code" in error && EXPECTED_ERRORS.includes(String(error.code));
}
