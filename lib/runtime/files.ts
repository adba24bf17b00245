/** Thrown if a file cannot be used. The message is the reason alone. */
export class FileError extends Error {
  override name = "FileError";
}

/**
 * Reads a text file.
 *
 * @throws {FileError} if it cannot be read.
 *
 * @example Usage
 * ```ts
 * import { readTextFile } from "./files.ts";
 *
 * try {
 *   readTextFile("/no/such/file");
 * } catch (error) {
 *   if (!(error instanceof Error) || error.name !== "FileError") throw error;
 * }
 * ```
 */
export function readTextFile(path: string): string {
  return withReason(() => fileSystem().readFileSync(path, "utf8"));
}

/**
 * Returns true if there is a file or a folder at the path, as far as this process may see it.
 *
 * @throws {FileError} if Deno's permissions do not allow to see it.
 */
export function fileExists(path: string): boolean {
  return withReason(() => fileSystem().existsSync(path));
}

/**
 * Writes a text file that only its user may read. It must not exist, unless `replace` is set.
 *
 * @throws {FileError} if it exists or cannot be written.
 */
export function writePrivateFile(path: string, text: string, { replace = false } = {}): void {
  withReason(() => fileSystem().writeFileSync(path, text, { mode: 0o600, flag: replace ? "w" : "wx" }));
}

/**
 * Writes text files, by name, into a folder, which is created if it is missing. Replaces files of the same names.
 *
 * @throws {FileError} if one cannot be written.
 */
export function writeFolder(folder: string, files: ReadonlyMap<string, string>): void {
  const fs = fileSystem();
  withReason(() => {
    fs.mkdirSync(folder, { recursive: true });
    for (const [name, text] of files) fs.writeFileSync(`${folder}/${name}`, text);
  });
}

/**
 * Writes a file that only its user may read to a new folder for temporary files, and removes both after `use`.
 *
 * @throws {FileError} if it cannot be written.
 */
export async function withTemporaryFile<Result>(
  name: string,
  text: string,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const fs = fileSystem();
  const { tmpdir } = process.getBuiltinModule("node:os");
  const folder = withReason(() => fs.mkdtempSync(`${tmpdir()}/gateway-`));
  try {
    writePrivateFile(`${folder}/${name}`, text);
    return await use(`${folder}/${name}`);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Calls `onChange` after the content of one of the files has changed and has stayed the same for `intervalMs`. Files
 * are polled: this also works for files that are replaced, and for mounted ones. The returned function ends it; the
 * process may end while files are watched.
 */
export function watchFiles(
  paths: readonly string[],
  onChange: () => void,
  { intervalMs }: { intervalMs: number },
): () => void {
  const readVersions = () => paths.map(versionOf).join();
  let known = readVersions();
  let last = known;
  const timer = setInterval(() => {
    const now = readVersions();
    const settled = now === last;
    last = now;
    if (!settled || now === known) return;
    known = now;
    onChange();
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Returns a text that changes with the content of a file. */
function versionOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = fileSystem().statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return "unreadable"; // Reading the file reports the reason.
  }
}

function fileSystem(): typeof import("node:fs") {
  if (globalThis.process?.getBuiltinModule === undefined) throw new FileError("this runtime has no files");
  return process.getBuiltinModule("node:fs");
}

function withReason<Result>(use: () => Result): Result {
  try {
    return use();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const code = "code" in cause ? String(cause.code) : "";
    throw new FileError(REASONS[code] ?? REASONS[cause.name] ?? cause.message, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EEXIST: "the file exists",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  NotCapable: "Deno was started without the permission for this file",
};
