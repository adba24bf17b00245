/**
 * Finds reasoning between tags that a host also sends in a field. The copy between the tags is left out.
 *
 * Whitespace is not compared. Either copy may be ahead of the other.
 */
export class TaggedCopy {
  /** Reasoning of the fields, without whitespace. */
  #field = "";
  /** Length of the copy so far. */
  #copied = 0;
  /** Tagged reasoning that may still prove to be a copy. */
  #pending = "";

  /** True if a field has reasoning. */
  get hasField(): boolean {
    return this.#field !== "";
  }

  /** True if no tagged reasoning is held back. */
  get isEmpty(): boolean {
    return this.#pending === "";
  }

  /** Adds reasoning of a field. */
  addField(text: string): void {
    this.#field += withoutSpace(text);
  }

  /** Adds tagged reasoning. Returns what is no copy. */
  push(thought: string): string {
    if (this.#field === "") return thought;
    this.#pending += thought;
    return this.#take(false);
  }

  /** Ends the reasoning. Returns what the field does not have. */
  end(): string {
    return this.#take(true);
  }

  #take(ended: boolean): string {
    const text = withoutSpace(this.#pending);
    const expected = this.#field.slice(this.#copied, this.#copied + text.length);
    const isCopy = expected === text;
    if (!isCopy && !ended && text.startsWith(expected)) return ""; // the field may catch up
    const rest = isCopy ? "" : this.#pending;
    if (isCopy) this.#copied += text.length;
    this.#pending = "";
    return rest;
  }
}

function withoutSpace(text: string): string {
  return text.replace(/\s+/g, "");
}
