/**
 * Creates a folder that only the account of the program can read, unless it exists. Files in it are created by
 * {@linkcode createPrivateFile}.
 *
 * @throws the runtime's error if the path is not a folder or cannot be created.
 */
export function createPrivateFolder(path: string): void {
  loadFs().mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** Creates a file that only the account of the program can read, unless it exists. */
export function createPrivateFile(path: string): void {
  const fs = loadFs();
  fs.closeSync(fs.openSync(path, "a", 0o600));
}

/** True if there is a file or a folder of this path. */
export function pathExists(path: string): boolean {
  return loadFs().existsSync(path);
}

/** Returns the names of the entries of a folder. */
export function listFolder(path: string): string[] {
  return loadFs().readdirSync(path);
}

/** Removes a file, if there is one. */
export function removeFile(path: string): void {
  loadFs().rmSync(path, { force: true });
}

function loadFs(): typeof import("node:fs") {
  if (typeof globalThis.process?.getBuiltinModule !== "function") {
    throw Object.assign(new Error("This runtime has no file system"), { code: "ENOSYS" });
  }
  return process.getBuiltinModule("node:fs");
}
