/** A folder with one file for each record. Several programs may use it at the same time. */
export interface RecordFolder {
  /** Returns the text of every record by name. Reads the files again only if some have been added or removed. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** Adds a record. Returns false if there is one of this name. */
  add(name: string, text: string): Promise<boolean>;
  /** Removes a record. Returns false if there is none of this name. */
  remove(name: string): Promise<boolean>;
  /** Returns the text of another file of the folder; `undefined` if there is none. */
  readOther(file: string): Promise<string | undefined>;
  /** Replaces another file of the folder, in one step. */
  writeOther(file: string, text: string): Promise<void>;
}

const ENDING = ".json";

/**
 * Opens a folder for records that only the user of the program may read, and creates it if it is missing. Names of
 * records are names of files.
 *
 * @throws the runtime's error if the folder cannot be created.
 */
export function openRecordFolder(folder: string): RecordFolder {
  if (typeof globalThis.process?.getBuiltinModule !== "function") {
    throw Object.assign(new Error("This runtime has no file system"), { code: "ENOSYS" });
  }
  const fs = process.getBuiltinModule("node:fs");
  const { promises } = fs;
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const toPath = (name: string) => `${folder}/${name}${ENDING}`;
  let records: ReadonlyMap<string, string> = new Map();
  /** Version of the folder that was read last, and whether it was the same at the read before. */
  let version: string | undefined;
  let confirmed = false;

  async function readFiles(): Promise<ReadonlyMap<string, string>> {
    const files = (await promises.readdir(folder)).filter((file) => file.endsWith(ENDING));
    const found = new Map<string, string>();
    for (const file of files) {
      const text = await readIfPresent(`${folder}/${file}`);
      if (text !== undefined) found.set(file.slice(0, -ENDING.length), text);
    }
    return found;
  }

  async function readIfPresent(path: string): Promise<string | undefined> {
    try {
      return await promises.readFile(path, "utf8");
    } catch (error) {
      if (hasCode(error, "ENOENT")) return undefined; // removed in the meantime
      throw error;
    }
  }

  return {
    async read() {
      const { mtimeMs, ino } = await promises.stat(folder);
      const current = `${mtimeMs} ${ino}`;
      // A change within the same tick of the file system's clock does not change the version: it is read twice.
      if (current === version && confirmed) return records;
      const read = await readFiles();
      confirmed = current === version;
      version = current;
      records = read;
      return records;
    },
    async add(name, text) {
      try {
        await promises.writeFile(toPath(name), text, { mode: 0o600, flag: "wx" });
      } catch (error) {
        if (hasCode(error, "EEXIST")) return false;
        throw error;
      }
      version = undefined;
      return true;
    },
    async remove(name) {
      try {
        await promises.unlink(toPath(name));
      } catch (error) {
        if (hasCode(error, "ENOENT")) return false;
        throw error;
      }
      version = undefined;
      return true;
    },
    readOther: (file) => readIfPresent(`${folder}/${file}`),
    async writeOther(file, text) {
      const draft = `${folder}/${file}.${crypto.randomUUID()}`;
      await promises.writeFile(draft, text, { mode: 0o600, flag: "wx" });
      await promises.rename(draft, `${folder}/${file}`);
    },
  };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
