/** Returns the reason of a file error, without the path that runtimes put into their messages. */
export function describeFileError(error: unknown): string {
  const { code, name } = error instanceof Error ? { code: undefined, ...error, name: error.name } : {};
  const reason = FILE_ERROR_REASONS[String(code)] ?? FILE_ERROR_REASONS[String(name)];
  return reason ?? `it cannot be read and written (${code ?? name})`;
}

const FILE_ERROR_REASONS: Record<string, string> = {
  EACCES: "permission to read and write it is denied",
  EPERM: "permission to read and write it is denied",
  EROFS: "its file system is read-only",
  EEXIST: "it is not a folder",
  ENOTDIR: "it is not a folder",
  ENOSPC: "its file system is full",
  NotCapable: "Deno was started without --allow-read and --allow-write for it",
  NotADirectory: "it is not a folder",
};
