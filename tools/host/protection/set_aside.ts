import { randomBytes } from "node:crypto";
import { chmod, lstat, rename, symlink } from "node:fs/promises";
import { basename, dirname, relative } from "node:path";
import { type Directory, openRoot } from "../files/directory.ts";
import type { Identity } from "./identity.ts";

/**
 * Renames a file or folder in its folder, so that no program obeys it. Returns the new name; undefined if it is no
 * longer there. No link of the path is followed: a command that still runs cannot lead the change elsewhere.
 *
 * @throws the system's error, if the file cannot be renamed.
 */
export async function setAside(root: string, { path, file }: Identity): Promise<string | undefined> {
  return await withFolder(root, dirname(path), async (directory) => {
    const name = basename(path);
    const found = await directory.lstat(name);
    if (found === undefined || `${found.dev}:${found.ino}` !== file) return undefined;
    const newName = toNewName(name);
    await rename(directory.pathOf(name), directory.pathOf(newName));
    return newName;
  });
}

/** Lets the gateway read and search a folder, and those above it. */
export async function openUp(root: string, folder: string): Promise<void> {
  await withFolder(root, folder, async () => {});
}

/** Creates a link again that a command has replaced. */
export async function restoreLink(root: string, path: string, target: string): Promise<void> {
  await withFolder(root, dirname(path), (directory) => symlink(target, directory.pathOf(basename(path))));
}

/** Name that no program obeys. A long name is replaced, because a file name has at most 255 bytes. */
function toNewName(name: string): string {
  const suffix = `.set-aside-${randomBytes(4).toString("hex")}`;
  return new TextEncoder().encode(name).length > 200 ? suffix.slice(1) : name + suffix;
}

/** A command may have removed permissions of folders, to keep their content where it is. They are given back. */
async function withFolder<T>(
  root: string,
  folder: string,
  use: (directory: Directory) => Promise<T>,
): Promise<T> {
  const names = relative(root, folder).split("/").filter((part) => part !== "");
  await givePermissions(root, names.length === 0);
  let directory = await openRoot(root, true);
  try {
    for (const [at, name] of names.entries()) {
      await givePermissions(directory.pathOf(name), at === names.length - 1);
      const next = await directory.enter(name);
      await directory.close();
      directory = next;
    }
    return await use(directory);
  } finally {
    await directory.close();
  }
}

/** Lets the gateway read and search a folder, and change it if it is the last one. */
async function givePermissions(path: string, isLast: boolean): Promise<void> {
  const found = await lstat(path, { bigint: true });
  const needed = isLast ? 0o700 : 0o500;
  const mode = Number(found.mode & 0o777n);
  if (found.isDirectory() && (mode & needed) !== needed) await chmod(path, mode | needed);
}
