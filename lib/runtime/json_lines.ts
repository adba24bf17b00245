/** A line of a file; `number` counts from 1. */
export interface FileLine {
  number: number;
  text: string;
}

/** Maximum length of a line, in characters. */
const MAX_LINE_CHARS = 64 * 1024 * 1024;

/**
 * Reads the lines of a file that are not blank. One line and one block of the file are in memory.
 *
 * @throws the runtime's error if the file cannot be read; an error if a line is too long.
 */
export async function* readLines(path: string): AsyncGenerator<FileLine> {
  const { createReadStream } = process.getBuiltinModule("node:fs");
  let number = 0;
  let rest = "";
  for await (const piece of createReadStream(path, { encoding: "utf8" })) {
    rest += piece;
    if (rest.length > MAX_LINE_CHARS) throw new Error(`Cannot read line ${number + 1}: it is too long`);
    if (!piece.includes("\n")) continue;
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      number++;
      if (text.trim() !== "") yield { number, text };
    }
  }
  if (rest.trim() !== "") yield { number: number + 1, text: rest };
}

/** A file that lines are appended to. */
export interface LineWriter {
  /** Settles when the line is handed to the operating system. Lines are written whole, one after the other. */
  write(line: string): Promise<void>;
  /** Closes the file, after all lines are written. */
  close(): Promise<void>;
}

/** Opens a file for appending, and creates it if it is missing. */
export async function openLines(path: string): Promise<LineWriter> {
  const { open } = process.getBuiltinModule("node:fs/promises");
  const file = await open(path, "a");
  let last: Promise<unknown> = Promise.resolve();
  return {
    write(line) {
      const written = last.then(() => file.appendFile(`${line}\n`));
      last = written.catch(() => {});
      return written;
    },
    async close() {
      await last;
      await file.close();
    },
  };
}

/** Replaces a file by another one, in one step. */
export async function replaceFile(path: string, by: string): Promise<void> {
  await process.getBuiltinModule("node:fs/promises").rename(by, path);
}

/** True if a stream of the program is a terminal. */
export function isTerminal(stream: "stdout" | "stderr"): boolean {
  return process[stream].isTTY === true;
}

/** Writes text to a stream of the program, and settles when the stream has taken it. */
export function writeText(stream: "stdout" | "stderr", text: string): Promise<void> {
  return new Promise((resolve, reject) =>
    process[stream].write(text, (error) => error ? reject(error) : resolve())
  );
}
