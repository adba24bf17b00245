import { pluralize } from "../formats/text.ts";

/** Maximum characters of a page. */
const MAX_PAGE_CHARS = 100_000;

/** Collects one page of a long result. */
export class Pager {
  readonly #lines: string[] = [];
  readonly #limit: number;
  readonly #offset: number;
  #added = 0;
  #length = 0;
  #full = false;

  /** Skips `offset` lines, then keeps up to `limit` lines. A limit of 0 means as many as fit on a page. */
  constructor({ limit, offset }: { limit: number; offset: number }) {
    this.#limit = limit === 0 ? Infinity : limit;
    this.#offset = offset;
  }

  /** True if a line did not fit. */
  get full(): boolean {
    return this.#full;
  }

  /** Adds a line, or skips it if it is before the offset. Returns false if it does not fit. */
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

  /** Returns the page, with notes on what was left out. */
  show({ unread, cut, complete }: { unread: number; cut: number; complete: boolean }): string {
    const lines = [...this.#lines];
    if (lines.length === 0) {
      lines.push(this.#added > 0 ? `(there are only ${this.#added})` : "No matches found");
    }
    if (this.#full) lines.push(`(there is more; continue with offset ${this.#offset + this.#lines.length})`);
    if (unread > 0) {
      lines.push(`(${pluralize(unread, "file")} could not be read: too large, or not allowed)`);
    }
    if (cut > 0) {
      lines.push(`(${pluralize(cut, "file")} searched in part: the lines or the text are too long)`);
    }
    if (!complete) lines.push("(there are too many files to search all of them; set path)");
    return lines.join("\n");
  }
}
