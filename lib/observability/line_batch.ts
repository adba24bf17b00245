/** Time that a line waits for others, in milliseconds. */
const WAIT_MS = 50;
/** Characters that are written at once, without waiting for more. */
const MAX_CHARS = 32 * 1024;

/** Lines that are written together: a system call for each line would be a tenth of the time of a small request. */
export class LineBatch {
  readonly #write: (lines: string) => void;
  #lines: string[] = [];
  #chars = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `write` receives the lines, without a line break at their end. */
  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  /** Adds a line. It is written 50 ms later at most, and at once if it is `urgent`. */
  add(line: string, { urgent = false }: { urgent?: boolean } = {}): void {
    this.#lines.push(line);
    this.#chars += line.length;
    if (urgent || this.#chars > MAX_CHARS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), WAIT_MS);
  }

  /** Writes the lines that wait. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    const lines = this.#lines.join("\n");
    this.#lines = [];
    this.#chars = 0;
    this.#write(lines);
  }
}
