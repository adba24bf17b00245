/** What a server has written to stderr, and what it wrote to stdout that is no message. Bounded. */
export interface ServerLog {
  /** Adds bytes of stderr. */
  write(bytes: Uint8Array): void;
  /** Adds a line. */
  add(line: string): void;
  /** Removes secrets from a text. */
  redact(text: string): string;
  /** Notes that the server is started. */
  begin(): void;
  /** Returns the last lines, without secrets; with `sinceStart`, those since the server was started. */
  last(count: number, options?: { sinceStart?: boolean }): string[];
}

/** Lines that are kept, and characters of each. */
const MAX_LINES = 200;
const MAX_LINE_CHARS = 500;
/** Characters of a line that are searched for secrets before it is cut. */
const MAX_SEARCHED_CHARS = 4000;

/** Creates a log. `redact` removes secrets from a line. */
export function createServerLog(redact: (line: string) => string): ServerLog {
  const lines: string[] = [];
  const decoder = new TextDecoder();
  let unfinished = "";
  /** Lines that have been added since the server was started. */
  let recent = 0;

  function add(line: string): void {
    const text = line.trimEnd().slice(0, MAX_SEARCHED_CHARS);
    if (text === "") return;
    lines.push(text);
    recent++;
    if (lines.length > MAX_LINES) lines.shift();
  }

  return {
    add,
    redact,
    begin() {
      add(unfinished);
      unfinished = "";
      recent = 0;
    },
    write(bytes) {
      const pieces = decoder.decode(bytes, { stream: true }).split("\n");
      for (const piece of pieces.slice(0, -1)) {
        add(unfinished + piece);
        unfinished = "";
      }
      unfinished = (unfinished + (pieces.at(-1) ?? "")).slice(0, MAX_SEARCHED_CHARS);
    },
    last(count, { sinceStart = false } = {}) {
      const kept = sinceStart ? lines.slice(lines.length - Math.min(recent, lines.length)) : lines;
      const all = unfinished.trim() === "" ? kept : [...kept, unfinished.trimEnd()];
      return all.slice(-count).map((line) => {
        const text = redact(line);
        return text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)}…` : text;
      });
    },
  };
}
