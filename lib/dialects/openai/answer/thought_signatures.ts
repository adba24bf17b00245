import { isObject } from "../../../base/json.ts";
import type { ToolCallDelta } from "./chunk.ts";

/** Signature of a call, and the upstream's id of the call. */
export interface SignedCall {
  id: string;
  signature: string;
}

/**
 * Reads the signatures that Gemini's own endpoint adds to tool calls and requires back on the same calls.
 *
 * Source: https://ai.google.dev/gemini-api/docs/openai
 */
export class ThoughtSignatures {
  readonly #newId: (prefix: string) => string;
  #last: string | undefined;

  constructor(newId: (prefix: string) => string) {
    this.#newId = newId;
  }

  /** Returns the signature of a piece, if it has one, and the piece, with a new id if a signed call has none. */
  read(piece: ToolCallDelta): { piece: ToolCallDelta; signed: SignedCall | undefined } {
    const signature = thoughtSignatureOf(piece.extra_content);
    const begins = Boolean(piece.function?.name);
    if (piece.id) this.#last = piece.id;
    else if (begins) this.#last = signature ? this.#newId("toolu_") : undefined;
    const id = this.#last;
    if (!signature || !id) return { piece, signed: undefined };
    return { piece: begins ? { ...piece, id } : piece, signed: { id, signature } };
  }
}

function thoughtSignatureOf(extra: unknown): string | undefined {
  const google = isObject(extra) ? extra.google : undefined;
  const signature = isObject(google) ? google.thought_signature : undefined;
  return typeof signature === "string" && signature !== "" ? signature : undefined;
}
