import type { MessageWriter } from "../../../anthropic/writer.ts";
import type { JsonObject } from "../../../base/json.ts";
import { seal } from "../../sealed.ts";
import { CLAUDE_FORMAT } from "../../reasoning/origin.ts";
import type { ChatDelta, ReasoningDetail } from "./chunk.ts";
import type { SignedCall } from "./thought_signatures.ts";

/**
 * Where reasoning came without details, to be sent back there: in a field of its own, as a part of the content, or
 * inside the content between tags.
 */
type ReasoningField = "reasoning" | "reasoning_content" | "content" | "tags";

/**
 * Gathers what a model reasons between two other things it says, and hands it to the client: readable reasoning as
 * a `thinking` block, what is not readable as `redacted_thinking`. Either carries everything the upstream sent,
 * sealed, because several upstreams refuse the next turn without it.
 */
export class ReasoningReader {
  readonly #writer: MessageWriter;
  readonly #origin: string;
  readonly #shown: boolean;
  #details: ReasoningDetail[] = [];
  #plain = new Map<ReasoningField, string>();
  #signed: SignedCall[] = [];
  #open = false;
  /** Whether the upstream said that there is no reasoning, in so many words, and has not said otherwise. */
  #emptyReported: boolean | undefined;

  /** Set `shown` to false where the client wants its thinking blocks without text. */
  constructor(writer: MessageWriter, { origin, shown }: { origin: string; shown: boolean }) {
    this.#writer = writer;
    this.#origin = origin;
    this.#shown = shown;
  }

  /** Takes the reasoning of one delta, which may come in several fields at once. */
  push(delta: ChatDelta, parts = ""): void {
    const details = delta.reasoning_details ?? [];
    if (delta.reasoning_details?.length === 0) this.#emptyReported ??= true;
    let wasShown = false;
    for (const detail of details) {
      this.#keepApart(detail);
      this.#merge(detail);
      wasShown = this.#show(detail.text || detail.summary || "") || wasShown;
    }
    const plain = delta.reasoning_content || delta.reasoning || parts;
    if (wasShown || !this.#show(plain) || details.length > 0) return;
    const field = delta.reasoning_content ? "reasoning_content" : delta.reasoning ? "reasoning" : "content";
    this.#add(field, plain);
  }

  /** Takes a thought that came between tags, and the same as it came. */
  pushTagged(thought: string, raw: string): void {
    if (raw !== "") this.#add("tags", raw);
    this.#show(thought);
  }

  /** Takes the tags alone instead of all that came between them: the rest was no thought. */
  keepTag(tag: string): void {
    this.#plain.set("tags", tag);
  }

  /** Takes the signature of a tool call. */
  sign(call: SignedCall): void {
    this.#signed.push(call);
  }

  /** Ends the reasoning gathered so far, because something else is said or the answer ends. */
  close(): void {
    const details: JsonObject[] = this.#details.length > 0 ? this.#details : this.#plainDetails();
    const sealed = [...details, ...this.#signed.map((call) => ({ field: "thought_signature", ...call }))];
    if (!this.#open && sealed.length === 0 && !this.#emptyReported) return;
    const [only] = this.#details;
    const claude = sealed.length === 1 && only?.format === CLAUDE_FORMAT ? only : undefined;
    if (this.#open) {
      // A signature is good for the very words that it signs, so without them it is not shown alone.
      const claudeSignature = this.#shown ? claude?.signature : undefined;
      this.#writer.signature(claudeSignature || seal(this.#origin, sealed));
    } else {
      this.#writer.addBlock({ type: "redacted_thinking", data: claude?.data || seal(this.#origin, sealed) });
    }
    this.#details = [];
    this.#plain = new Map();
    this.#signed = [];
    this.#open = false;
    this.#emptyReported = false;
  }

  #show(text: string): boolean {
    if (text === "") return false;
    this.#open = true;
    this.#writer.thinking(this.#shown ? text : "");
    return true;
  }

  #add(field: ReasoningField, text: string): void {
    this.#plain.set(field, `${this.#plain.get(field) ?? ""}${text}`);
  }

  /** What came without details; tags around nothing are no thought. */
  #plainDetails(): JsonObject[] {
    return this.#open
      ? [...this.#plain].map(([field, text]) => ({ type: "reasoning.text", text, field }))
      : [];
  }

  /** Claude's thoughts stay apart, so that each keeps a signature of its own; so do other signed ones. */
  #keepApart(detail: ReasoningDetail): void {
    const last = this.#details.at(-1);
    if (last === undefined) return;
    const claude = last.format === CLAUDE_FORMAT || detail.format === CLAUDE_FORMAT;
    if ((detail.text && last.signature) || (claude && !continues(last, detail))) this.close();
  }

  /** Adds a detail, or continues the last one. */
  #merge(detail: ReasoningDetail): void {
    const last = this.#details.at(-1);
    if (last === undefined || !continues(last, detail)) {
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

/** A detail streams in pieces that share type, index and id. */
function continues(last: ReasoningDetail, { type, index, id }: ReasoningDetail): boolean {
  return last.type === type && last.index === index && (!last.id || !id || last.id === id) &&
    type !== "reasoning.encrypted";
}
