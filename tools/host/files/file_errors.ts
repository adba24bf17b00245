import { ToolError } from "../../errors.ts";
import { quotePath } from "../../policy/files.ts";

/**
 * Does something with a file; what the system says against it becomes a sentence for the model.
 *
 * @throws {ToolError} `Cannot read "a.txt": there is no such file or folder`
 */
export async function withFileErrors<T>(action: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const reason = REASONS[code] ?? "the system refuses it";
    throw new ToolError(`Cannot ${action} ${quotePath(path)}: ${reason}`, { cause: error });
  }
}

/** Makes the error of a file of which the system says nothing, but we do. */
export function fileError(action: string, path: string, reason: string): ToolError {
  return new ToolError(`Cannot ${action} ${quotePath(path)}: ${reason}`);
}

/** What the system calls a failure, such as `ENOENT`; nothing if it is no failure of the system's. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof ToolError) return undefined;
  // Deno names what its flags do not allow by a class.
  if (error.name === "NotCapable" || error.name === "PermissionDenied") return "EACCES";
  return "code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code)
    ? error.code
    : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  ELOOP: "it became a link while it was looked at",
  ENXIO: "it is not a regular file",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the file system cannot be written",
  EEXIST: "something else of that name is there already",
  ENAMETOOLONG: "the name is too long",
  EILSEQ: "the file system does not take that name",
  ENOSPC: "no space is left",
  EDQUOT: "no space is left",
  EMFILE: "too many files are open at the moment",
  ENFILE: "too many files are open at the moment",
  EBUSY: "it is in use",
};
