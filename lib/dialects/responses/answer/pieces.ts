import { AnswerSize } from "../../../anthropic/answer_size.ts";

/**
 * Text of the parts of an item, each received in pieces.
 *
 * Hosts repeat the whole part at its end. What the pieces already brought is left out.
 *
 * @example Usage
 * ```ts
 * import { Pieces } from "./pieces.ts";
 *
 * const pieces = new Pieces();
 * const text = pieces.add(0, "Hel") + pieces.complete(0, "Hello") + pieces.complete(0, "Hello");
 * if (text !== "Hello") throw new Error(text);
 * ```
 */
export class Pieces {
  readonly #parts = new Map<number, string>();
  readonly #size = new AnswerSize();

  /** Adds a piece and returns it. */
  add(index: number, piece: string): string {
    this.#size.add(piece);
    this.#parts.set(index, this.of(index) + piece);
    return piece;
  }

  /** Returns what is missing to the whole part. A whole part that contradicts the pieces adds nothing. */
  complete(index: number, whole: string): string {
    const received = this.of(index);
    return whole.startsWith(received) ? this.add(index, whole.slice(received.length)) : "";
  }

  /** Returns the text of a part so far. */
  of(index: number): string {
    return this.#parts.get(index) ?? "";
  }

  /** All parts so far, in the order of their first pieces. */
  get all(): readonly string[] {
    return [...this.#parts.values()];
  }
}
