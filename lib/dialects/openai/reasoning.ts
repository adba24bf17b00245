import type { MessageWriter } from "../../anthropic/writer.ts";
import { seal } from "../envelope.ts";
import type { Delta, ReasoningDetail } from "./chunk.ts";

/** Reasoning that came without details: which field it came in, to be sent back in the same one. */
export type ReasoningField = "reasoning" | "reasoning_content";

const CLAUDE = "anthropic-claude-v1";

/**
 * Gathers what a model reasons between two other things it says, and hands it to the client: readable reasoning as
 * a `thinking` block, what is not readable as `redacted_thinking`. Either carries everything the upstream sent,
 * sealed, because several upstreams refuse the next turn without it.
 */
export class ReasoningReader {
  readonly #writer: MessageWriter;
  readonly #model: string;
  readonly #shown: boolean;
  #details: ReasoningDetail[] = [];
  #plain = "";
  #field: ReasoningField | undefined;
  #open = false;

  /** Set `shown` to false where the client wants its thinking blocks without text. */
  constructor(writer: MessageWriter, { model, shown }: { model: string; shown: boolean }) {
    this.#writer = writer;
    this.#model = model;
    this.#shown = shown;
  }

  /** Takes the reasoning of one delta, which may come in several fields at once. */
  push(delta: Delta, parts = ""): void {
    const details = delta.reasoning_details ?? [];
    let told = false;
    for (const detail of details) {
      // A signed thought has ended: what is thought after it has a signature of its own.
      if (detail.text && this.#details.at(-1)?.signature) this.close();
      this.#merge(detail);
      told = this.#show(detail.text || detail.summary || "") || told;
    }
    const plain = delta.reasoning_content || delta.reasoning || parts;
    if (told || !this.#show(plain) || details.length > 0) return;
    this.#plain += plain;
    this.#field ??= delta.reasoning_content ? "reasoning_content" : "reasoning";
  }

  #show(text: string): boolean {
    if (text === "") return false;
    this.#open = true;
    this.#writer.thinking(this.#shown ? text : "");
    return true;
  }

  /** Ends the reasoning gathered so far, because something else is said or the answer ends. */
  close(): void {
    if (!this.#open && this.#details.length === 0) return;
    const details = this.#details;
    if (this.#field !== undefined && details.length === 0) {
      details.push({ type: "reasoning.text", text: this.#plain, field: this.#field });
    }
    const [only] = details;
    const claude = details.length === 1 && only?.format === CLAUDE ? only : undefined;
    if (this.#open) {
      this.#writer.signature(claude?.signature || seal(this.#model, details));
    } else {
      this.#writer.whole({ type: "redacted_thinking", data: claude?.data || seal(this.#model, details) });
    }
    this.#details = [];
    this.#plain = "";
    this.#field = undefined;
    this.#open = false;
  }

  /** Adds a detail, or continues the last one: a detail streams in pieces that share type, index and id. */
  #merge(detail: ReasoningDetail): void {
    const last = this.#details.at(-1);
    const same = last !== undefined && last.type === detail.type && last.index === detail.index &&
      (!last.id || !detail.id || last.id === detail.id) && detail.type !== "reasoning.encrypted";
    if (!same) {
      this.#details.push({ ...detail });
      return;
    }
    const { text, summary, ...rest } = detail;
    for (const [field, value] of Object.entries(rest)) {
      if (value !== null && value !== undefined && field !== "__proto__") last[field] = value;
    }
    if (text) last.text = `${last.text ?? ""}${text}`;
    if (summary) last.summary = `${last.summary ?? ""}${summary}`;
  }
}
