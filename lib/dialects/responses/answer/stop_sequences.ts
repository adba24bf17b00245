/**
 * Ends a text at the first stop sequence. The API has no field for them.
 *
 * Text that may be the beginning of a sequence is held back. The pieces may be cut anywhere.
 *
 * @example Usage
 * ```ts
 * import { StopSequences } from "./stop_sequences.ts";
 *
 * const stops = new StopSequences(["END"]);
 * const text = stops.push("Yes. E") + stops.push("ND of it") + stops.flush();
 * if (text !== "Yes. " || stops.matched !== "END") throw new Error(text);
 * ```
 */
export class StopSequences {
  readonly #sequences: readonly string[];
  #held = "";
  /** The sequence that ended the text. */
  matched: string | undefined;

  constructor(sequences: readonly string[]) {
    this.#sequences = sequences.filter((sequence) => sequence !== "");
  }

  /** Adds a piece. Returns the text that cannot belong to a sequence. */
  push(piece: string): string {
    if (this.matched !== undefined) return "";
    const text = this.#held + piece;
    const found = this.#sequences.map((sequence) => ({ sequence, at: text.indexOf(sequence) }))
      .filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at)[0];
    this.matched = found?.sequence;
    const end = found?.at ?? text.length - this.#prefixLength(text);
    this.#held = found === undefined ? text.slice(end) : "";
    return text.slice(0, end);
  }

  /** Ends a part of the text. Returns what was held back. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** Length of the longest end of a text that is the beginning of a sequence. */
  #prefixLength(text: string): number {
    const lengths = this.#sequences.map((sequence) => {
      for (let length = Math.min(sequence.length - 1, text.length); length > 0; length--) {
        if (text.endsWith(sequence.slice(0, length))) return length;
      }
      return 0;
    });
    return Math.max(0, ...lengths);
  }
}
