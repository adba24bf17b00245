import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { ToolError } from "../../errors.ts";
import { quotePath } from "../../policy/files.ts";
import { systemErrorCode } from "../files/file_errors.ts";

const MAX_BYTES = 1024 * 1024;

const { O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;

/**
 * Reads a file that git obeys. Returns an empty text if there is no regular file: reading a pipe would not end, nor
 * would reading a device, and a command can create pipes and links to devices.
 *
 * @throws {ToolError} if the file has more than 1 MiB.
 */
export async function readSettings(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isFile()) return "";
    const handle = await open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    try {
      // Another file may have this name by now.
      if (!(await handle.stat()).isFile()) return "";
      const buffer = new Uint8Array(MAX_BYTES + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
        length += bytesRead;
        if (length > MAX_BYTES) throw tooLarge(path);
        if (bytesRead === 0) return new TextDecoder().decode(buffer.subarray(0, length));
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (MISSING.includes(systemErrorCode(error) ?? "")) return "";
    throw error;
  }
}

const MISSING = ["ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "ENXIO", "ENODEV"];

function tooLarge(path: string): ToolError {
  return new ToolError(
    `Cannot protect what git executes: ${quotePath(path)} has more than ${MAX_BYTES} bytes`,
  );
}
