/** A piece of an answer, told apart. */
export interface TaggedPiece {
  /** The thought, without its tags and the space around it. */
  thought: string;
  /** The same as it came, tags and space included. */
  raw: string;
  /** What the answer says after the thought. */
  text: string;
}

const OPENING = "<think>";
const CLOSING = "</think>";

/**
 * Tells a thought apart that a model puts between `<think>` and `</think>` before its answer.
 *
 * Only the very beginning is looked at: tags in the middle of an answer are part of it. The text may be cut anywhere.
 *
 * @example Usage
 * ```ts
 * import { ThinkTags } from "./think_tags.ts";
 *
 * const tags = new ThinkTags();
 * const pieces = ["<th", "ink>Odd.</thi", "nk>\n\nNo."].map((text) => tags.push(text));
 * if (pieces.map(({ thought }) => thought).join("") !== "Odd.") throw new Error("thought is lost");
 * if (pieces.map(({ text }) => text).join("") !== "No.") throw new Error("text is lost");
 * ```
 */
export class ThinkTags {
  #state: "before" | "inside" | "after" | "said" = "before";
  /** What may be the beginning of a tag, or space that may be followed by one. */
  #held = "";
  #thought = "";

  /** Takes a piece of the content. */
  push(text: string): TaggedPiece {
    const piece: TaggedPiece = { thought: "", raw: "", text: "" };
    if (this.#state === "before") text = this.#open(text, piece);
    if (this.#state === "inside") text = this.#think(text, piece);
    if (this.#state === "after") text = this.#skip(text, piece);
    if (this.#state === "said") piece.text += text;
    return piece;
  }

  /** Takes the end of the content: gives what was held back. */
  end(): TaggedPiece {
    const held = this.#held;
    this.#held = "";
    if (this.#state === "inside") {
      const thought = held.trimEnd();
      this.#thought += thought;
      return { thought, raw: held, text: "" };
    }
    this.#state = "said";
    return { thought: "", raw: "", text: held };
  }

  /** The whole thought, where it began and has not ended. */
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
    this.#state = "said";
    return all;
  }

  #think(text: string, piece: TaggedPiece): string {
    const all = this.#held + text;
    const end = all.indexOf(CLOSING);
    // What may still become the closing tag, and the space before it, waits.
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
    if (rest !== "") this.#state = "said";
    return rest;
  }
}

/** How much of the end of a text may be the beginning of the closing tag. */
function closingTagPrefixLength(text: string): number {
  for (let length = Math.min(CLOSING.length - 1, text.length); length > 0; length--) {
    if (CLOSING.startsWith(text.slice(-length))) return length;
  }
  return 0;
}
