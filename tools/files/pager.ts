import { pluralize } from "../formats/text.ts";

/** The most characters that a page shows. */
const MAX_PAGE_CHARS = 100_000;

/** What of a long result is shown. */
export class Pager {
  readonly #lines: string[] = [];
  readonly #limit: number;
  readonly #offset: number;
  #added = 0;
  #length = 0;
  #full = false;

  /** How many lines are left out, and how many are shown then; 0 is as many as a page holds. */
  constructor({ limit, offset }: { limit: number; offset: number }) {
    this.#limit = limit === 0 ? Infinity : limit;
    this.#offset = offset;
  }

  /** Whether there is more than is shown. */
  get full(): boolean {
    return this.#full;
  }

  /** Takes a line if there is place for it. */
  add(line: string): boolean {
    this.#added += 1;
    if (this.#added <= this.#offset) return true;
    if (this.#lines.length >= this.#limit || this.#length + line.length > MAX_PAGE_CHARS) {
      this.#full = true;
      return false;
    }
    this.#lines.push(line);
    this.#length += line.length + 1;
    return true;
  }

  /** Shows it, with what was left out. */
  show({ unread, cut, complete }: { unread: number; cut: number; complete: boolean }): string {
    const lines = [...this.#lines];
    if (lines.length === 0) {
      lines.push(this.#added > 0 ? `(no more than ${this.#added})` : "No matches found");
    }
    if (this.#full) lines.push(`(there is more; go on with offset ${this.#offset + this.#lines.length})`);
    if (unread > 0) {
      lines.push(`(${pluralize(unread, "file")} could not be read, being too large, or not allowed)`);
    }
    if (cut > 0) {
      lines.push(`(${pluralize(cut, "file")} searched in part, for what is searched at once is too long)`);
    }
    if (!complete) lines.push("(there are too many files to look at all of them; give a path)");
    return lines.join("\n");
  }
}
