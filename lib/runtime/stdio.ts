/** The program's standard input and output. */
export interface Stdio {
  input: AsyncIterable<Uint8Array>;
  /** Writes a line and its end. Rejects if the reader has gone. */
  write(line: string): Promise<void>;
}

/** Opens standard input and output. Nothing else of the program may write to standard output. */
export function openStdio(): Stdio {
  // The failure of a write is reported to its callback, too. Without a listener, it would also end the program.
  process.stdout.on("error", () => {});
  return {
    input: process.stdin,
    write: (line) =>
      new Promise((resolve, reject) => {
        process.stdout.write(`${line}\n`, (error) => error ? reject(error) : resolve());
      }),
  };
}
