/** A folder with one file for each record. Several programs may use it at the same time. */
export interface RecordFolder {
  /** Returns the text of every record by name. Reads again only if some have been added or removed, and only those. */
  read(): Promise<ReadonlyMap<string, string>>;
  /** Adds a record. Returns false if there is one of this name. */
  add(name: string, text: string): Promise<boolean>;
  /** Removes a record. Returns false if there is none of this name. */
  remove(name: string): Promise<boolean>;
  /** Returns the text of a file that is no record; `undefined` if there is none. */
  readOther(file: string): Promise<string | undefined>;
  /** Replaces a file that is no record, in one step. */
  writeOther(file: string, text: string): Promise<void>;
}

const ENDING = ".json";

/** Files that are read at the same time. */
const READERS = 16;

/** The text of a record, and the version of its file. */
interface RecordFile {
  version: string;
  text: string;
}

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
  // Other files are in a folder below: their changes do not change the version of this one.
  const others = `${folder}/other`;
  fs.mkdirSync(others, { recursive: true, mode: 0o700 });
  const toPath = (name: string) => `${folder}/${name}${ENDING}`;
  let known = new Map<string, RecordFile>();
  let records: ReadonlyMap<string, string> = new Map();
  /** Version of the folder that was read last, and whether it was the same at the read before. */
  let version: string | undefined;
  let confirmed = false;

  async function readFiles(): Promise<Map<string, RecordFile>> {
    const files = (await promises.readdir(folder)).filter((file) => file.endsWith(ENDING));
    const found = new Map<string, RecordFile>();
    const unread = files.values();
    const readNext = async () => {
      for (const file of unread) {
        const name = file.slice(0, -ENDING.length);
        const record = await ifPresent(() => readRecord(name));
        if (record !== undefined) found.set(name, record);
      }
    };
    await Promise.all(Array.from({ length: READERS }, readNext));
    return found;
  }

  /** Makes the next reading read the files, that of a record in any case. */
  function forget(name: string): void {
    version = undefined;
    known.delete(name); // its next file may have the same version, within a tick of the clock
  }

  /** Reads a record, unless its file is that of the last reading. */
  async function readRecord(name: string): Promise<RecordFile> {
    const { ino, size, mtimeMs } = await promises.stat(toPath(name));
    // The version is that before the text is read: a file that is still being written is read again.
    const version = `${ino} ${size} ${mtimeMs}`;
    const last = known.get(name);
    return last?.version === version
      ? last
      : { version, text: await promises.readFile(toPath(name), "utf8") };
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
      known = read;
      records = new Map(Array.from(read, ([name, { text }]) => [name, text]));
      return records;
    },
    async add(name, text) {
      try {
        await promises.writeFile(toPath(name), text, { mode: 0o600, flag: "wx" });
      } catch (error) {
        if (hasCode(error, "EEXIST")) return false;
        throw error;
      }
      forget(name);
      return true;
    },
    async remove(name) {
      try {
        await promises.unlink(toPath(name));
      } catch (error) {
        if (hasCode(error, "ENOENT")) return false;
        throw error;
      }
      forget(name);
      return true;
    },
    readOther: (file) => ifPresent(() => promises.readFile(`${others}/${file}`, "utf8")),
    async writeOther(file, text) {
      const draft = `${others}/${file}.${crypto.randomUUID()}`;
      await promises.writeFile(draft, text, { mode: 0o600, flag: "wx" });
      await promises.rename(draft, `${others}/${file}`);
    },
  };
}

/** Returns what is read of a file; `undefined` if there is none, or it is removed in the meantime. */
async function ifPresent<Result>(read: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await read();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
