/** A piece of an answer, split into reasoning and text. */
export interface TaggedPiece {
  /** Reasoning without tags and surrounding whitespace. */
  thought: string;
  /** Reasoning as it arrived, with tags and whitespace. */
  raw: string;
  /** Text of the answer. */
  text: string;
}

const OPENING = "<think>";
const CLOSING = "</think>";

/**
 * Separates reasoning between `<think>` and `</think>` at the beginning of an answer from its text.
 *
 * Tags at other positions are text. The pieces may be cut anywhere.
 *
 * @example Usage
 * ```ts
 * import { ThinkTags } from "./think_tags.ts";
 *
 * const tags = new ThinkTags();
 * const pieces = ["<th", "ink>Odd.</thi", "nk>\n\nNo."].map((text) => tags.push(text));
 * if (pieces.map(({ thought }) => thought).join("") !== "Odd.") throw new Error("reasoning was lost");
 * if (pieces.map(({ text }) => text).join("") !== "No.") throw new Error("text was lost");
 * ```
 */
export class ThinkTags {
  #state: "before" | "inside" | "after" | "text" = "before";
  /** Text held back because it may be the beginning of a tag, or whitespace before one. */
  #held = "";
  #thought = "";

  /** Adds a piece of the content. */
  push(text: string): TaggedPiece {
    const piece: TaggedPiece = { thought: "", raw: "", text: "" };
    if (this.#state === "before") text = this.#open(text, piece);
    if (this.#state === "inside") text = this.#think(text, piece);
    if (this.#state === "after") text = this.#skip(text, piece);
    if (this.#state === "text") piece.text += text;
    return piece;
  }

  /** Ends the content. Returns what was held back. */
  end(): TaggedPiece {
    const held = this.#held;
    this.#held = "";
    if (this.#state === "inside") {
      const thought = held.trimEnd();
      this.#thought += thought;
      return { thought, raw: held, text: "" };
    }
    this.#state = "text";
    return { thought: "", raw: "", text: held };
  }

  /** The whole reasoning if its tag is not closed yet, else undefined. */
  get unclosed(): string | undefined {
    return this.#state === "inside" ? this.#thought : undefined;
  }

  #open(text: string, piece: TaggedPiece): string {
    const all = this.#held + text;
    const trimmed = all.trimStart();
    this.#held = "";
    if (trimmed.startsWith(OPENING)) {
      this.#state = "inside";
      piece.raw = all.slice(0, all.length - trimmed.length) + OPENING;
      return trimmed.slice(OPENING.length);
    }
    if (OPENING.startsWith(trimmed)) {
      this.#held = all;
      return "";
    }
    this.#state = "text";
    return all;
  }

  #think(text: string, piece: TaggedPiece): string {
    const all = this.#held + text;
    const end = all.indexOf(CLOSING);
    // A possible beginning of the closing tag, and whitespace before it, is held back.
    const ready = end >= 0 ? end : all.length - closingTagPrefixLength(all);
    const shown = all.slice(0, ready).trimEnd();
    const thought = this.#thought === "" ? shown.trimStart() : shown;
    piece.thought += thought;
    this.#thought += thought;
    if (end < 0) {
      piece.raw += shown;
      this.#held = all.slice(shown.length);
      return "";
    }
    piece.raw += all.slice(0, end) + CLOSING;
    this.#held = "";
    this.#state = "after";
    return all.slice(end + CLOSING.length);
  }

  #skip(text: string, piece: TaggedPiece): string {
    const rest = text.trimStart();
    piece.raw += text.slice(0, text.length - rest.length);
    if (rest !== "") this.#state = "text";
    return rest;
  }
}

/** Length of the longest end of a text that is a beginning of the closing tag. */
function closingTagPrefixLength(text: string): number {
  for (let length = Math.min(CLOSING.length - 1, text.length); length > 0; length--) {
    if (CLOSING.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
