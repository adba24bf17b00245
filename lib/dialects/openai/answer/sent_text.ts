/**
 * Length and hash of the text that an answer has so far, without the text itself.
 *
 * @example Usage
 * ```ts
 * import { SentText } from "./sent_text.ts";
 *
 * const sent = new SentText();
 * sent.push("Hel");
 * if (sent.restOf("Hello") !== "lo") throw new Error("the rest is lost");
 * if (sent.restOf("Hi") !== undefined) throw new Error("another text was taken for its continuation");
 * ```
 */
export class SentText {
  #hash = FIRST_HASH;
  #chars = 0;
  /** The last pieces, which are not yet in the hash. */
  #pending = "";

  /** True if there is no text yet. */
  get isEmpty(): boolean {
    return this.#chars === 0;
  }

  /** Adds a piece. Content that is not a text is ignored. */
  push(content: unknown): void {
    if (typeof content !== "string") return;
    this.#pending += content;
    this.#chars += content.length;
    if (this.#pending.length >= HASHED_CHARS) this.#hashPending();
  }

  /** Returns what a text adds to the pieces. Undefined if it does not begin with them. */
  restOf(content: unknown): string | undefined {
    if (content === null || content === undefined) return "";
    if (typeof content !== "string" || content.length < this.#chars) return undefined;
    this.#hashPending();
    const begins = addToHash(FIRST_HASH, content, this.#chars) === this.#hash;
    return begins ? content.slice(this.#chars) : undefined;
  }

  #hashPending(): void {
    this.#hash = addToHash(this.#hash, this.#pending, this.#pending.length);
    this.#pending = "";
  }
}

const FIRST_HASH = 0x811c9dc5;
/** Characters that are hashed together. */
const HASHED_CHARS = 4096;

/** Adds characters to a hash, as FNV-1a does with bytes. */
function addToHash(hash: number, text: string, chars: number): number {
  let next = hash;
  for (let at = 0; at < chars; at++) next = Math.imul(next ^ text.charCodeAt(at), 0x01000193);
  return next;
}
