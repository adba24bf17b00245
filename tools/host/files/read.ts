import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { FilePolicy } from "../../policy/files.ts";
import { MAX_FILE_BYTES } from "../../policy/files.ts";
import type { Directory } from "./directory.ts";
import { fileError } from "./file_errors.ts";

/** What is read of a file, and how. */
export interface ReadFileOptions {
  policy: FilePolicy;
  action: string;
  /** The path as the model said it, for the sentence that says that it cannot be read. */
  displayPath: string;
  signal: AbortSignal;
}

const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;

/**
 * Reads a whole file. A link, a device or a pipe is not opened, and if it takes the file's place at the last
 * moment, opening it neither follows nor waits; what has been opened is looked at again before it is read.
 *
 * @throws {ToolError} if it is no regular file, is known by a second name somewhere else, or is too large.
 */
export async function readFile(
  directory: Directory,
  { name, stat }: { name: string; stat: BigIntStats },
  { policy, action, displayPath, signal }: ReadFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const maxBytes = policy.maxBytes ?? MAX_FILE_BYTES;
  const checkStat = (found: BigIntStats) => {
    if (found.isDirectory()) throw fileError(action, displayPath, "it is a folder");
    if (!found.isFile()) throw fileError(action, displayPath, "it is not a regular file");
    if (found.nlink !== 1n) {
      throw fileError(
        action,
        displayPath,
        "it has a second name (a hard link), which may be outside of the workspace",
      );
    }
    if (found.size > BigInt(maxBytes)) {
      throw fileError(action, displayPath, tooLargeReason(found.size, maxBytes));
    }
  };
  checkStat(stat);
  const handle = await open(directory.pathOf(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  try {
    const opened = await handle.stat({ bigint: true });
    checkStat(opened);
    await directory.verify(name, opened);
    const bytes = await readUpTo(handle, { size: Number(opened.size), limit: maxBytes, signal });
    if (bytes === undefined) {
      throw fileError(action, displayPath, `it grows past ${maxBytes} bytes while it is read`);
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Names what a file holds: two files of one version are the same to the last byte. */
export function hashContent(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

function tooLargeReason(size: bigint, maxBytes: number): string {
  return `it has ${size} bytes, and ${maxBytes} is the limit`;
}

/** Reads to the end, whatever size the system told; nothing if there is more than the limit. */
async function readUpTo(
  handle: FileHandle,
  { size, limit, signal }: { size: number; limit: number; signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let buffer = new Uint8Array(size + 1);
  let length = 0;
  while (length <= limit) {
    signal.throwIfAborted();
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(limit + 1, buffer.length * 2));
      larger.set(buffer);
      buffer = larger;
    }
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) return buffer.slice(0, length);
    length += bytesRead;
  }
  return undefined;
}
