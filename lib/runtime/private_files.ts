/** A folder of files that only the user of the gateway may read. */
export interface PrivateFolder {
  /** Why nothing can be written; undefined if all is well. */
  readonly failure: string | undefined;
  /** Writes a new file. Removes the oldest files, by name, beyond the maximum. Never rejects. */
  write(name: string, text: string): Promise<void>;
  /** Returns the path of the file whose name, without its ending, ends so; undefined if there is none. */
  find(end: string): string | undefined;
}

/** Opens a folder for files with the given ending, and creates it if it is missing. Never throws. */
export function openPrivateFolder(folder: string, { ending, maxFiles }: {
  ending: string;
  maxFiles: number;
}): PrivateFolder {
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  let failure: string | undefined;
  try {
    if (fs === undefined) failure = "this runtime has no file system";
    else fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    failure = describe(error);
  }
  return {
    get failure() {
      return failure;
    },
    async write(name, text) {
      if (fs === undefined) return;
      try {
        const path = `${folder}/${name}${ending}`;
        // Under another name until it is complete: a reader of the folder finds whole files only.
        await fs.promises.writeFile(`${path}.part`, text, { mode: 0o600, flag: "wx" });
        await fs.promises.rename(`${path}.part`, path);
        const names = (await fs.promises.readdir(folder)).filter((found) => found.endsWith(ending)).sort();
        const old = names.slice(0, Math.max(0, names.length - maxFiles));
        await Promise.all(old.map((found) => fs.promises.rm(`${folder}/${found}`, { force: true })));
        failure = undefined;
      } catch (error) {
        failure = describe(error);
      }
    },
    find(end) {
      if (fs === undefined) return undefined;
      try {
        const name = fs.readdirSync(folder).find((found) => found.endsWith(`${end}${ending}`));
        return name === undefined ? undefined : `${folder}/${name}`;
      } catch (error) {
        failure = describe(error);
        return undefined;
      }
    },
  };
}

/** Returns the reason of a failure, without the path that runtimes put into their messages. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "it cannot be written";
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return `it cannot be written (${code})`;
}
