import { countByRuns } from "./text.ts";

/**
 * Counts the tokens of text that arrives in pieces, in constant memory.
 *
 * @example Usage
 * ```ts
 * import { OutputCounter } from "./output_counter.ts";
 *
 * const counter = new OutputCounter();
 * for (const piece of ["wo", "rd", "s"]) counter.add(piece);
 * if (counter.tokens !== 1) throw new Error("the pieces are one word");
 * ```
 */
export class OutputCounter {
  #tokens = 0;
  #pending = "";

  /** Adds a piece. */
  add(text: string): void {
    this.#pending += text;
    if (this.#pending.length < MIN_COUNTED_CHARS) return;
    this.#tokens += countByRuns(this.#pending);
    this.#pending = "";
  }

  /** Tokens of the text so far. */
  get tokens(): number {
    return this.#tokens + countByRuns(this.#pending);
  }
}

/** Characters that are counted together. A word that is cut between two counts is counted twice. */
const MIN_COUNTED_CHARS = 4096;
