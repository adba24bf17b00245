import { ToolError } from "../../errors.ts";
import { quotePath } from "../../policy/files.ts";

/**
 * Runs a file operation and converts system errors to messages for the model.
 *
 * @throws {ToolError} such as `Cannot read "a.txt": there is no such file or folder`.
 */
export async function withFileErrors<T>(action: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const reason = REASONS[code] ?? "the system rejected the operation";
    throw new ToolError(`Cannot ${action} ${quotePath(path)}: ${reason}`, { cause: error });
  }
}

/** Creates the error for a file that is rejected by a check of the host, not by the system. */
export function fileError(action: string, path: string, reason: string): ToolError {
  return new ToolError(`Cannot ${action} ${quotePath(path)}: ${reason}`);
}

/** Returns the code of a system error, such as `ENOENT`, or undefined for any other error. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof ToolError) return undefined;
  // Deno reports a missing permission by the error's class.
  if (error.name === "NotCapable" || error.name === "PermissionDenied") return "EACCES";
  return "code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code)
    ? error.code
    : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  ELOOP: "its path changed during the operation",
  ENXIO: "it is not a regular file",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the file system is read-only",
  EEXIST: "another file or folder already has that name",
  ENAMETOOLONG: "the name is too long",
  EILSEQ: "the file system does not support that name",
  ENOSPC: "no space is left",
  EDQUOT: "no space is left",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  EBUSY: "it is in use",
};
