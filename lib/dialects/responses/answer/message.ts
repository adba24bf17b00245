import { isObject, type JsonObject } from "../../../base/json.ts";
import { type AnswerState, indexOf, textOf } from "./answer_state.ts";
import type { ItemReader } from "./items.ts";
import { Pieces } from "./pieces.ts";

/** Converts a message to a text block: its texts, its refusals, and notes for parts of other types. */
export class MessageReader implements ItemReader {
  readonly #state: AnswerState;
  readonly #pieces = new Pieces();

  constructor(state: AnswerState) {
    this.#state = state;
    state.writer.endBlock();
  }

  push(eventType: string, event: JsonObject): void {
    const index = indexOf(event.content_index);
    switch (eventType) {
      case "response.output_text.delta":
      case "response.refusal.delta":
        this.#text(this.#pieces.add(index, textOf(event.delta)));
        break;
      case "response.output_text.done":
        this.#text(this.#pieces.complete(index, textOf(event.text)));
        break;
      case "response.refusal.done":
        this.#text(this.#pieces.complete(index, textOf(event.refusal)));
        break;
      case "response.output_text.annotation.added":
        this.#state.citations.pushAnnotations([event.annotation]);
    }
    if (eventType.startsWith("response.refusal.")) this.#state.refused = true;
  }

  end(item: JsonObject | undefined): void {
    const { content } = item ?? {};
    if (typeof content === "string") this.#text(this.#pieces.complete(0, content));
    // Some hosts send a single part without a list.
    const parts = isObject(content) ? [content] : Array.isArray(content) ? content : [];
    for (const [index, part] of parts.entries()) {
      if (isObject(part)) this.#part(index, part);
    }
    this.#write(this.#state.stops.flush());
  }

  #part(index: number, part: JsonObject): void {
    if (part.type === "refusal") this.#state.refused = true;
    const text = part.text ?? part.refusal ?? part.transcript;
    if (typeof text === "string") this.#text(this.#pieces.complete(index, text));
    else this.#text(this.#pieces.complete(index, `[A part of type "${textOf(part.type)}" is left out]`));
    this.#state.citations.pushAnnotations(part.annotations);
  }

  #text(text: string): void {
    this.#write(this.#state.stops.push(text));
  }

  #write(text: string): void {
    if (text === "") return;
    this.#state.chars += text.length;
    this.#state.writer.text(text);
    this.#state.citations.flush();
  }
}
