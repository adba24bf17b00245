import { createHash } from "node:crypto";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { FilePolicy } from "../../policy/files.ts";
import { MAX_FILE_BYTES } from "../../policy/files.ts";
import type { Directory } from "./directory.ts";
import { fileError } from "./file_errors.ts";

/** Options of {@link readFile}. */
export interface ReadFileOptions {
  policy: FilePolicy;
  /** Verb for error messages: `Cannot <action> "<path>"`. */
  action: string;
  /** Path as the model wrote it, for error messages. */
  displayPath: string;
  signal: AbortSignal;
}

const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;

/**
 * Reads a whole file.
 *
 * Links, devices and pipes are not opened. If one replaces the file meanwhile, opening neither follows nor blocks, and
 * the opened file is checked again before it is read.
 *
 * @throws {ToolError} if it is not a regular file, has more than one hard link, or is too large.
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
        "it has another hard link, which may be outside the workspace",
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
      throw fileError(action, displayPath, `it grew past ${maxBytes} bytes during the read`);
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Returns a hash that identifies the content of a file. */
export function hashContent(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

function tooLargeReason(size: bigint, maxBytes: number): string {
  return `it has ${size} bytes, and ${maxBytes} is the limit`;
}

/** Reads to the end, even past the reported `size`; returns undefined if the file exceeds the limit. */
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
