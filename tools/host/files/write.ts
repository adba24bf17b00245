import { randomBytes } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import type { Directory } from "./directory.ts";
import { systemErrorCode } from "./file_errors.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants;

/**
 * Creates or replaces a file atomically. The content is written to a temporary file in the same folder, which is
 * renamed once it is on disk. The permissions of a replaced file are kept.
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
    // Nothing is written before the location is verified.
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

/** A file that another program changed during the write. Its code is the system's for a file in use. */
class ConcurrentChangeError extends Error {
  readonly code = "EBUSY";
}

function isSameFile(before: BigIntStats | undefined, now: BigIntStats | undefined): boolean {
  return before?.ino === now?.ino && before?.mtimeNs === now?.mtimeNs && before?.size === now?.size;
}

/** Removes a temporary file, unless it no longer exists. */
async function removeTemporary(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}
