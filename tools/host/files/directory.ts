import { type BigIntStats, constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink } from "node:fs/promises";
import { systemErrorCode } from "./file_errors.ts";

/** A folder of the workspace that has been walked to from the root, through folders only and never through a link. */
export interface Directory {
  /** The names on the way from the root. */
  readonly path: readonly string[];
  /** By what path the system finds the folder, or something in it. */
  pathOf(name?: string): string;
  enter(name: string): Promise<Directory>;
  /** What is there under a name, be it a link; nothing if nothing is. */
  lstat(name: string): Promise<BigIntStats | undefined>;
  /** What it holds, in the order of names. */
  list(): Promise<Dirent[]>;
  /** Makes sure that what was opened under a name was found in this very folder. */
  verify(name: string, opened: BigIntStats): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the root of the workspace.
 *
 * Where Linux shows open files under `/proc/self/fd`, folders are held open and names are looked up in them, so
 * that nothing that happens to the path above can lead elsewhere: this is exact, also while links are swapped.
 * Elsewhere, and on Deno unless it may do everything, folders are held by path, and after each step the whole
 * way is compared with what it was, several times over. A swap between two of those looks, and back before the
 * next, each time, is not noticed.
 */
export async function openRoot(root: string, descriptors: boolean): Promise<Directory> {
  const handle = descriptors ? await openFolder(root) : undefined;
  const resolvedPath = handle === undefined
    ? undefined
    : await readlink(`/proc/self/fd/${handle.fd}`).catch(() => "");
  if (handle !== undefined && resolvedPath === root) return byDescriptor(handle, []);
  await handle?.close();
  return byPath(root, [], [{ path: root, stat: await statFolder(root) }]);
}

const { O_RDONLY, O_DIRECTORY = 0, O_NOFOLLOW = 0 } = constants;

/** Windows opens no folders; there is nothing then. */
async function openFolder(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (O_DIRECTORY === 0 && systemErrorCode(error) !== "ENOENT") return undefined;
    throw error;
  }
}

function byDescriptor(handle: FileHandle, path: readonly string[]): Directory {
  const base = `/proc/self/fd/${handle.fd}`;
  const pathOf = (name?: string) => name === undefined ? base : `${base}/${name}`;
  return {
    path,
    pathOf,
    async enter(name) {
      return byDescriptor(await open(pathOf(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW), [...path, name]);
    },
    lstat: (name) => lstatIfPresent(pathOf(name)),
    list: () => list(base),
    async verify() {},
    close: () => handle.close(),
  };
}

/** A folder on the way, as it was when it was walked through. */
interface PathStep {
  path: string;
  stat: BigIntStats;
}

/** How many times the way is compared. */
const VERIFY_ROUNDS = 4;

function byPath(base: string, path: readonly string[], steps: readonly PathStep[]): Directory {
  const pathOf = (name?: string) => name === undefined ? base : `${base}/${name}`;
  return {
    path,
    pathOf,
    async enter(name) {
      const step = { path: pathOf(name), stat: await statFolder(pathOf(name)) };
      await verifySteps(steps);
      return byPath(pathOf(name), [...path, name], [...steps, step]);
    },
    lstat: (name) => lstatIfPresent(pathOf(name)),
    async list() {
      const entries = await list(base);
      const names = joinNames(entries);
      for (let round = 0; round < VERIFY_ROUNDS; round += 1) {
        await verifySteps(steps);
        if (joinNames(await list(base)) !== names) throw new PathChangedError();
      }
      return entries;
    },
    async verify(name, opened) {
      for (let round = 0; round < VERIFY_ROUNDS; round += 1) {
        await verifySteps([...steps, { path: pathOf(name), stat: opened }]);
      }
    },
    async close() {},
  };
}

async function verifySteps(steps: readonly PathStep[]): Promise<void> {
  for (const { path, stat } of steps) {
    const now = await lstat(path, { bigint: true });
    if (now.dev !== stat.dev || now.ino !== stat.ino || now.isSymbolicLink()) throw new PathChangedError();
  }
}

function joinNames(entries: readonly Dirent[]): string {
  return entries.map(({ name }) => name).join("/");
}

async function list(path: string): Promise<Dirent[]> {
  const found = await readdir(path, { withFileTypes: true });
  return found.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

async function lstatIfPresent(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** What the system would say of a link that it must not follow. */
class PathChangedError extends Error {
  readonly code = "ELOOP";
}

async function statFolder(path: string): Promise<BigIntStats> {
  const stat = await lstat(path, { bigint: true });
  if (!stat.isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  return stat;
}
