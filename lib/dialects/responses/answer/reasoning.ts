import { isObject, type JsonObject } from "../../../base/json.ts";
import { seal } from "../../sealed.ts";
import { SEALED_FIELD } from "../responses.ts";
import { type AnswerState, indexOf, textOf } from "./answer_state.ts";
import type { ItemReader } from "./items.ts";
import { Pieces } from "./pieces.ts";

/** Place of readable reasoning: a summary of it, or the reasoning itself. */
type Source = "summary" | "content";

/**
 * Converts a reasoning item: readable reasoning to a `thinking` block, encrypted reasoning alone to
 * `redacted_thinking`.
 *
 * The block carries the whole item, which the model needs in the next turn.
 */
export class ReasoningReader implements ItemReader {
  readonly #state: AnswerState;
  readonly #pieces = new Pieces();
  /** Place of the displayed reasoning. A second copy in the other place is not displayed. */
  #source: Source | undefined;
  #part: number | undefined;
  #open = false;

  constructor(state: AnswerState) {
    this.#state = state;
    state.writer.endBlock();
  }

  push(eventType: string, event: JsonObject): void {
    switch (eventType) {
      case "response.reasoning_summary_text.delta":
        return this.#add("summary", indexOf(event.summary_index), textOf(event.delta));
      case "response.reasoning_summary_text.done":
        return this.#complete("summary", indexOf(event.summary_index), textOf(event.text));
      case "response.reasoning_text.delta":
        return this.#add("content", indexOf(event.content_index), textOf(event.delta));
      case "response.reasoning_text.done":
        return this.#complete("content", indexOf(event.content_index), textOf(event.text));
    }
  }

  end(item: JsonObject | undefined): void {
    const whole: JsonObject = item ?? { type: "reasoning", ...this.#received() };
    for (const source of ["content", "summary"] as const) {
      textsOf(whole[source]).forEach((text, index) => this.#complete(source, index, text));
    }
    const { writer, context } = this.#state;
    const { encrypted_content: encrypted } = whole;
    const value = seal(context.origin, [toDetail(whole)]);
    if (this.#open) writer.signature(value);
    else if (typeof encrypted === "string" && encrypted !== "") {
      writer.addBlock({ type: "redacted_thinking", data: value });
    }
  }

  #add(source: Source, index: number, text: string): void {
    if (text === "" || source !== (this.#source ??= source)) return;
    this.#show(index, this.#pieces.add(index, text));
  }

  #complete(source: Source, index: number, text: string): void {
    if (text === "" || source !== (this.#source ??= source)) return;
    this.#show(index, this.#pieces.complete(index, text));
  }

  #show(index: number, text: string): void {
    if (text === "") return;
    const { writer, showsThinking } = this.#state;
    const separator = this.#part === undefined || this.#part === index ? "" : "\n\n";
    this.#part = index;
    this.#open = true;
    this.#state.chars += text.length;
    writer.thinking(showsThinking ? separator + text : "");
  }

  /** Returns the received parts as fields of an item, for hosts that do not send the whole item. */
  #received(): JsonObject {
    const texts = this.#pieces.all;
    return this.#source === "summary"
      ? { summary: texts.map((text) => ({ type: "summary_text", text })) }
      : { summary: [], content: texts.map((text) => ({ type: "reasoning_text", text })) };
  }
}

function textsOf(parts: unknown): string[] {
  if (typeof parts === "string") return [parts];
  return Array.isArray(parts) ? parts.map((part) => isObject(part) ? textOf(part.text) : textOf(part)) : [];
}

/** Returns an item to send back: without its ID, which hosts would look up, and without its status. */
function toDetail({ id: _id, status: _status, content, summary, ...rest }: JsonObject): JsonObject {
  const hasContent = Array.isArray(content) && content.length > 0;
  return { ...rest, field: SEALED_FIELD, summary: toSummary(summary), ...(hasContent && { content }) };
}

/** Returns a summary as a list of parts. Some hosts send its text. */
function toSummary(summary: unknown): unknown {
  return typeof summary === "string" ? [{ type: "summary_text", text: summary }] : summary ?? [];
}
