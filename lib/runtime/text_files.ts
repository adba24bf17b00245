/** Reads a text file; `undefined` if it cannot be read. */
export async function readTextFile(path: string): Promise<string | undefined> {
  const { readFile } = process.getBuiltinModule("node:fs/promises");
  return await readFile(path, "utf8").catch(() => undefined);
}

/** Writes files, by name, into a folder, which is created if it is missing. Replaces files of the same names. */
export async function writeFolder(folder: string, files: ReadonlyMap<string, string>): Promise<void> {
  const { mkdir, writeFile } = process.getBuiltinModule("node:fs/promises");
  await mkdir(folder, { recursive: true });
  for (const [name, text] of files) await writeFile(`${folder}/${name}`, text);
}
