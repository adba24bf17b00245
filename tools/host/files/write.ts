import { randomBytes } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import type { Directory } from "./directory.ts";
import { systemErrorCode } from "./file_errors.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;

/**
 * Puts a file in the place of another, or where nothing was, whole or not at all: it is written under a name of
 * its own in the same folder, and gets its right name when it is on the disk. It keeps the rights of the one before.
 */
export async function replaceFile(
  directory: Directory,
  { name, stat }: { name: string; stat: BigIntStats | undefined },
  bytes: Uint8Array,
): Promise<void> {
  const temporaryName = `.${randomBytes(9).toString("hex")}.tmp`;
  const written = await writeTemporary(directory, temporaryName, { bytes, stat });
  try {
    if (!isSameFile(stat, await directory.lstat(name))) throw new ConcurrentChangeError();
    await directory.verify(temporaryName, written);
    await rename(directory.pathOf(temporaryName), directory.pathOf(name));
    await directory.verify(name, written);
  } catch (error) {
    await removeTemporary(directory.pathOf(temporaryName));
    throw error;
  }
}

async function writeTemporary(
  directory: Directory,
  temporaryName: string,
  { bytes, stat }: { bytes: Uint8Array; stat: BigIntStats | undefined },
): Promise<BigIntStats> {
  const mode = stat === undefined ? 0o666 : 0o600;
  const handle = await open(directory.pathOf(temporaryName), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    // Not a byte is written before it is sure where.
    await directory.verify(temporaryName, await handle.stat({ bigint: true }));
    if (stat !== undefined) await handle.chmod(Number(stat.mode) & 0o777);
    await handle.writeFile(bytes);
    await handle.sync();
    return await handle.stat({ bigint: true });
  } catch (error) {
    await removeTemporary(directory.pathOf(temporaryName));
    throw error;
  } finally {
    await handle.close();
  }
}

/** What the system would say of a name that somebody else took at the same time. */
class ConcurrentChangeError extends Error {
  readonly code = "EBUSY";
}

function isSameFile(before: BigIntStats | undefined, now: BigIntStats | undefined): boolean {
  return before?.ino === now?.ino && before?.mtimeNs === now?.mtimeNs && before?.size === now?.size;
}

/** A draft that is gone already, by its owner's hand, needs no removing. */
async function removeTemporary(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}
