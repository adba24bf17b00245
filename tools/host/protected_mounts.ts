import type { Dirent } from "node:fs";
import { mkdir, readdir, readFile, rmdir, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROTECTED, PROTECTED_IN_GIT } from "../policy/protected.ts";

/** Paths of the workspace that a sandbox protects by mounts. */
export interface ProtectedMounts {
  /** Paths mounted read-only. */
  readOnly: string[];
  /** Folders whose content may change, but which cannot be moved or replaced. */
  fixed: string[];
  /** Removes the placeholders of missing paths once no other command needs them. */
  release(): Promise<void>;
}

/** Number of folder levels that are searched for protected paths. */
const MAX_DEPTH = 4;
/** Maximum number of entries that are searched. */
const MAX_ENTRIES = 20_000;
/** Maximum number of protected paths. */
const MAX_PATHS = 400;

/** Paths that get a placeholder if missing. `.git` is one of them, because a new repository could come with hooks. */
const ROOT_PATHS = [...PROTECTED, ".git"];
const NAMES = new Set(PROTECTED);

/** Git fails if this file is empty or a folder. As a placeholder it names the folder that contains it. */
const COMMON_DIR = "commondir";
const COMMON_DIR_TEXT = ".\n";

/**
 * Creates a function that finds the protected paths of a workspace for one command.
 *
 * A mount needs an existing path. A missing path at the root or in a repository gets a placeholder while commands run:
 * an empty folder, even in place of a file, because git ignores empty folders. Symbolic links are skipped, because
 * nothing can be mounted on them.
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
      // A path that the gateway cannot create, a command cannot create either.
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

/** True if a `.git` contains a `HEAD`. Otherwise it is not a repository, and must not become one. */
async function isRepository(path: string): Promise<boolean> {
  return (await list(path)).some(({ name }) => name === "HEAD");
}

/** Lists a folder; returns no entries if it is not a readable folder. */
async function list(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isExpectedError(error)) return [];
    throw error;
  }
}

/** Returns false if the file system rejects the change. */
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

/** True if the file system rejected the operation, as opposed to a failure such as an I/O error. */
function isExpectedError(error: unknown): boolean {
  return error instanceof Error && "code" in error && EXPECTED_ERRORS.includes(String(error.code));
}
