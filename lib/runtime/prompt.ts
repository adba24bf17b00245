/** Questions on the terminal, or answers from a pipe. */
export interface Prompt {
  /** Prints a question and returns the line that follows; empty if the input has ended. `hidden` does not show it. */
  ask(question: string, options?: { hidden?: boolean }): Promise<string>;
  /** Ends the reading, so that the process may end. */
  close(): void;
}

/** Reads answers line by line from standard input. */
export function createPrompt(): Prompt {
  const { createInterface } = process.getBuiltinModule("node:readline");
  const { Writable } = process.getBuiltinModule("node:stream");
  let muted = false;
  const output = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      if (!muted) process.stdout.write(chunk);
      done();
    },
  });
  const terminal = process.stdin.isTTY === true;
  const reader = createInterface({ input: process.stdin, output, terminal });
  const lines = reader[Symbol.asyncIterator]();
  return {
    async ask(question, { hidden = false } = {}) {
      reader.setPrompt(question);
      reader.prompt();
      muted = hidden;
      const { done, value } = await lines.next();
      muted = false;
      if (hidden || !terminal) process.stdout.write("\n");
      return done ? "" : value;
    },
    close: () => reader.close(),
  };
}
