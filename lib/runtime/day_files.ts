/** Files of one folder, one a day in UTC, that hold one JSON value a line. */
export interface DayFiles {
  readonly folder: string;
  /** Why nothing can be written; undefined if all is well. */
  readonly failure: string | undefined;
  /** Path of the file of a time. */
  pathAt(now: number): string;
  /** Appends a line to the file of the day. Returns false if it cannot be written, or if the file is full. */
  append(line: string, now: number): boolean;
  /** Reads the lines of all files, the newest first. */
  readNewestFirst(): AsyncGenerator<string>;
  /**
   * Removes the files of days that ended more than the given number of days ago. Returns the number of files removed.
   */
  cleanUp(days: number, now: number): number;
}

/** Options of {@linkcode openDayFiles}. */
export interface DayFileOptions {
  folder: string;
  /** Size at which a file is continued in another one of the same day. */
  maxFileBytes: number;
  /** Maximum number of files. The oldest are removed. */
  maxFiles: number;
  /** Days after which files are removed. */
  days: number;
  now: number;
}

/**
 * Opens files in a folder, which is created if it is missing. Only the user of the gateway may read them (mode 0600).
 *
 * Never throws: a folder that cannot be written is reported in `failure`.
 */
export function openDayFiles({ folder, maxFileBytes, maxFiles, days, now }: DayFileOptions): DayFiles {
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  let failure: string | undefined;
  let day = "";
  let part = 0;
  let size = 0;

  function list(): string[] {
    return fs?.readdirSync(folder).filter((name) => FILE.test(name)).sort(byDayAndPart).reverse() ?? [];
  }

  function toPath(now: number): string {
    return `${folder}/${toDay(now)}${part === 0 ? "" : `.${part}`}.jsonl`;
  }

  function startFile(now: number): void {
    cleanUp(days, now);
    for (const name of list().slice(maxFiles - 1)) fs?.rmSync(`${folder}/${name}`, { force: true });
    const path = toPath(now);
    const found = fs?.lstatSync(path, { throwIfNoEntry: false });
    // A link may lead to a file of another program.
    if (found !== undefined && !found.isFile()) throw new Error("one of its files is a link or a folder");
    size = found?.size ?? 0;
  }

  function cleanUp(days: number, now: number): number {
    const oldest = toDay(now - days * DAY_MS);
    const old = list().filter((name) => name.slice(0, DAY_CHARS) < oldest);
    for (const name of old) fs?.rmSync(`${folder}/${name}`, { force: true });
    return old.length;
  }

  /** Runs an action on files. A failure is kept and returned as undefined. */
  function attempt<Result>(action: () => Result): Result | undefined {
    try {
      const result = action();
      failure = undefined;
      return result;
    } catch (error) {
      failure = describe(error);
      return undefined;
    }
  }

  if (fs === undefined) failure = "this runtime has no file system";
  else {
    attempt(() => {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      fs.accessSync(folder, fs.constants.W_OK);
      const today = toDay(now);
      const parts = list().filter((name) => name.startsWith(today)).map(partOf);
      part = Math.max(0, ...parts);
    });
  }

  return {
    folder,
    get failure() {
      return failure;
    },
    pathAt: toPath,
    append(line, now) {
      if (fs === undefined) return false;
      return attempt(() => {
        const text = `${line}\n`;
        const isNewDay = toDay(now) !== day;
        if (isNewDay && day !== "") part = 0;
        if (isNewDay) startFile(now);
        day = toDay(now);
        while (size + text.length > maxFileBytes && size > 0) {
          part++;
          startFile(now);
        }
        fs.appendFileSync(toPath(now), text, { mode: 0o600 });
        size += text.length;
        return true;
      }) ?? false;
    },
    async *readNewestFirst() {
      if (fs === undefined) return;
      for (const name of attempt(list) ?? []) {
        // A file may be removed meanwhile.
        const text = await fs.promises.readFile(`${folder}/${name}`, "utf8").catch(() => "");
        for (const line of text.split("\n").reverse()) if (line !== "") yield line;
      }
    },
    cleanUp: (days, now) => attempt(() => cleanUp(days, now)) ?? 0,
  };
}

const DAY_MS = 86_400_000;
const DAY_CHARS = "2026-11-30".length;
const FILE = /^\d{4}-\d\d-\d\d(?:\.\d{1,6})?\.jsonl$/;

function toDay(now: number): string {
  return new Date(now).toISOString().slice(0, DAY_CHARS);
}

function partOf(name: string): number {
  return Number(/\.(\d+)\.jsonl$/.exec(name)?.[1] ?? 0);
}

function byDayAndPart(one: string, other: string): number {
  const [day, otherDay] = [one.slice(0, DAY_CHARS), other.slice(0, DAY_CHARS)];
  return day === otherDay ? partOf(one) - partOf(other) : day < otherDay ? -1 : 1;
}

/** Returns the reason of a failure, without the path that runtimes put into their messages. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "it cannot be written";
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return REASONS[code] ?? (code === "Error" ? error.message : `it cannot be written (${code})`);
}

const REASONS: Record<string, string> = {
  EACCES: "permission to write it is denied",
  EPERM: "permission to write it is denied",
  EROFS: "its file system is read-only",
  ENOSPC: "its disk is full",
  EEXIST: "it is not a folder",
  ENOTDIR: "it is not a folder",
  NotCapable: "Deno was started without --allow-read and --allow-write for it",
  NotADirectory: "it is not a folder",
};
