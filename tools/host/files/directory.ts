import { type BigIntStats, constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink } from "node:fs/promises";
import { systemErrorCode } from "./file_errors.ts";

/** A folder of the workspace, reached from the root through folders only, never through a symbolic link. */
export interface Directory {
  /** Names of the folders from the root to this one. */
  readonly path: readonly string[];
  /** Returns the path under which the system finds the folder, or an entry of it. */
  pathOf(name?: string): string;
  /** Opens a subfolder; fails if it is a link. */
  enter(name: string): Promise<Directory>;
  /** Returns the status of an entry without following a link, or undefined if there is no such entry. */
  lstat(name: string): Promise<BigIntStats | undefined>;
  /** Returns the entries, sorted by name. */
  list(): Promise<Dirent[]>;
  /** Fails unless the entry that was opened under a name is in this folder. */
  verify(name: string, opened: BigIntStats): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the root of the workspace.
 *
 * Where Linux provides `/proc/self/fd`, folders are kept open and names are looked up in the open folder. A change of
 * the path above cannot lead elsewhere, even while links are swapped.
 *
 * On other systems, and on Deno without `--allow-all`, folders are identified by path. After each step the whole path
 * is compared several times with its earlier state. A path that is swapped between two comparisons and restored before
 * the next one, each time, is not detected.
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

/** Opens a folder; returns undefined on Windows, which cannot open folders. */
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

/** A folder of the path, with its status when it was entered. */
interface PathStep {
  path: string;
  stat: BigIntStats;
}

/** Number of comparisons of the path. */
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

/** A changed path. Its code is the system's for a link that must not be followed. */
class PathChangedError extends Error {
  readonly code = "ELOOP";
}

async function statFolder(path: string): Promise<BigIntStats> {
  const stat = await lstat(path, { bigint: true });
  if (!stat.isDirectory()) throw Object.assign(new Error("Not a folder"), { code: "ENOTDIR" });
  return stat;
}
