import { randomBytes } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import type { Directory } from "./directory.ts";
import { codeOf } from "./file_errors.ts";

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
  const draft = `.${randomBytes(9).toString("hex")}.tmp`;
  const written = await writeDraft(directory, draft, { bytes, stat });
  try {
    if (!isSame(stat, await directory.look(name))) throw new Raced();
    await directory.verify(draft, written);
    await rename(directory.at(draft), directory.at(name));
    await directory.verify(name, written);
  } catch (error) {
    await remove(directory.at(draft));
    throw error;
  }
}

async function writeDraft(
  directory: Directory,
  draft: string,
  { bytes, stat }: { bytes: Uint8Array; stat: BigIntStats | undefined },
): Promise<BigIntStats> {
  const mode = stat === undefined ? 0o666 : 0o600;
  const handle = await open(directory.at(draft), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    // Not a byte is written before it is sure where.
    await directory.verify(draft, await handle.stat({ bigint: true }));
    if (stat !== undefined) await handle.chmod(Number(stat.mode) & 0o777);
    await handle.writeFile(bytes);
    await handle.sync();
    return await handle.stat({ bigint: true });
  } catch (error) {
    await remove(directory.at(draft));
    throw error;
  } finally {
    await handle.close();
  }
}

/** What the system would say of a name that somebody else took at the same time. */
class Raced extends Error {
  readonly code = "EBUSY";
}

function isSame(before: BigIntStats | undefined, now: BigIntStats | undefined): boolean {
  return before?.ino === now?.ino && before?.mtimeNs === now?.mtimeNs && before?.size === now?.size;
}

/** A draft that is gone already, by its owner's hand, needs no removing. */
async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}
