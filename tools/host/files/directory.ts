import { type BigIntStats, constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, readdir, readlink } from "node:fs/promises";
import { codeOf } from "./file_errors.ts";

/** A folder of the workspace that has been walked to from the root, through folders only and never through a link. */
export interface Directory {
  /** The names on the way from the root. */
  readonly path: readonly string[];
  /** By what path the system finds the folder, or something in it. */
  at(name?: string): string;
  enter(name: string): Promise<Directory>;
  /** What is there under a name, be it a link; nothing if nothing is. */
  look(name: string): Promise<BigIntStats | undefined>;
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
  const shown = handle === undefined
    ? undefined
    : await readlink(`/proc/self/fd/${handle.fd}`).catch(() => "");
  if (handle !== undefined && shown === root) return byDescriptor(handle, []);
  await handle?.close();
  return byPath(root, [], [{ path: root, stat: await lookAt(root) }]);
}

const { O_RDONLY, O_DIRECTORY = 0, O_NOFOLLOW = 0 } = constants;

/** Windows opens no folders; there is nothing then. */
async function openFolder(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  } catch (error) {
    if (O_DIRECTORY === 0 && codeOf(error) !== "ENOENT") return undefined;
    throw error;
  }
}

function byDescriptor(handle: FileHandle, path: readonly string[]): Directory {
  const base = `/proc/self/fd/${handle.fd}`;
  const at = (name?: string) => name === undefined ? base : `${base}/${name}`;
  return {
    path,
    at,
    async enter(name) {
      return byDescriptor(await open(at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW), [...path, name]);
    },
    look: (name) => look(at(name)),
    list: () => list(base),
    async verify() {},
    close: () => handle.close(),
  };
}

/** A folder on the way, as it was when it was walked through. */
interface Step {
  path: string;
  stat: BigIntStats;
}

/** How many times the way is compared. */
const LOOKS = 4;

function byPath(base: string, path: readonly string[], way: readonly Step[]): Directory {
  const at = (name?: string) => name === undefined ? base : `${base}/${name}`;
  return {
    path,
    at,
    async enter(name) {
      const step = { path: at(name), stat: await lookAt(at(name)) };
      await compare(way);
      return byPath(at(name), [...path, name], [...way, step]);
    },
    look: (name) => look(at(name)),
    async list() {
      const entries = await list(base);
      const names = toKey(entries);
      for (let round = 0; round < LOOKS; round += 1) {
        await compare(way);
        if (toKey(await list(base)) !== names) throw new Moved();
      }
      return entries;
    },
    async verify(name, opened) {
      for (let round = 0; round < LOOKS; round += 1) {
        await compare([...way, { path: at(name), stat: opened }]);
      }
    },
    async close() {},
  };
}

async function compare(way: readonly Step[]): Promise<void> {
  for (const { path, stat } of way) {
    const now = await lstat(path, { bigint: true });
    if (now.dev !== stat.dev || now.ino !== stat.ino || now.isSymbolicLink()) throw new Moved();
  }
}

function toKey(entries: readonly Dirent[]): string {
  return entries.map(({ name }) => name).join("/");
}

async function list(path: string): Promise<Dirent[]> {
  const found = await readdir(path, { withFileTypes: true });
  return found.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

async function look(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** What the system would say of a link that it must not follow. */
class Moved extends Error {
  readonly code = "ELOOP";
}

async function lookAt(path: string): Promise<BigIntStats> {
  const stat = await lstat(path, { bigint: true });
  if (!stat.isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
  return stat;
}
