import { AnswerSize } from "../../../anthropic/answer_size.ts";
import type { MessageWriter } from "../../../anthropic/writer.ts";
import type { JsonObject } from "../../../base/json.ts";
import { seal } from "../../sealed.ts";
import { CLAUDE_FORMAT } from "../../reasoning/origin.ts";
import type { ChatDelta, ReasoningDetail } from "./chunk.ts";
import { TaggedCopy } from "./tagged_copy.ts";
import type { SignedCall } from "./thought_signatures.ts";

/**
 * Source of reasoning without details: a field of the message, a part of the content or tags. It is sent back there.
 */
type ReasoningField = "reasoning" | "reasoning_content" | "content" | "tags";

/**
 * Converts reasoning to blocks: readable reasoning to a `thinking` block, other reasoning to `redacted_thinking`.
 *
 * Both carry everything the upstream sent, because several upstreams reject the next turn without it. It is sealed,
 * unless Claude's own `signature` or `data` already holds it.
 */
export class ReasoningReader {
  readonly #writer: MessageWriter;
  readonly #origin: string;
  readonly #shown: boolean;
  readonly #isClaude: boolean;
  #details: ReasoningDetail[] = [];
  #plain = new Map<ReasoningField, string>();
  #signed: SignedCall[] = [];
  #open = false;
  /** Size of the reasoning, which is held until its block ends. */
  readonly #size = new AnswerSize();
  readonly #copy = new TaggedCopy();
  /** True if an empty `reasoning_details` arrived before the first block. False after the first block. */
  #emptyReported: boolean | undefined;

  /**
   * `shown` is false if the client requests thinking blocks without text; `isClaude` is true for models of its name.
   */
  constructor(
    writer: MessageWriter,
    { origin, shown, isClaude }: { origin: string; shown: boolean; isClaude: boolean },
  ) {
    this.#isClaude = isClaude;
    this.#writer = writer;
    this.#origin = origin;
    this.#shown = shown;
  }

  /** Adds the reasoning of one delta, which may be in several fields at once. Returns that outside of details. */
  push(delta: ChatDelta, parts = ""): string {
    const own = delta.reasoning_content || delta.thinking_blocks;
    const other = delta.reasoning || delta.reasoning_text || delta.thinking;
    const plain = own || other || parts;
    // Most deltas have no reasoning.
    if (plain === "" && delta.reasoning_details === undefined) return "";
    this.#size.add([delta.reasoning_details, delta.reasoning_content, delta.reasoning, parts]);
    const details = delta.reasoning_details ?? [];
    if (delta.reasoning_details?.length === 0) this.#emptyReported ??= true;
    let wasShown = false;
    for (const detail of details) {
      this.#keepApart(detail);
      this.#merge(detail);
      wasShown = this.#show(detail.text || detail.summary || "") || wasShown;
      this.#copy.addField(detail.text || detail.summary || "");
    }
    if (!wasShown) this.#copy.addField(plain);
    if (wasShown || !this.#show(plain) || details.length > 0) return plain;
    const field = own ? "reasoning_content" : other ? "reasoning" : "content";
    this.#add(field, plain);
    return plain;
  }

  /** Adds reasoning that arrived between tags, and the same with its tags. */
  pushTagged(thought: string, raw: string): void {
    if (raw === "" && this.#copy.isEmpty) return;
    this.#size.add(raw);
    if (this.#copy.hasField) {
      this.#show(this.#copy.push(thought));
      return;
    }
    if (raw !== "") this.#add("tags", raw);
    this.#show(thought);
  }

  /** True if reasoning arrived in a separate field. */
  get hasField(): boolean {
    return this.#copy.hasField;
  }

  /** Keeps only the tag of tagged reasoning, because the rest was the answer. */
  keepTag(tag: string): void {
    this.#plain.set("tags", tag);
  }

  /** Adds the signature of a tool call. */
  sign(call: SignedCall): void {
    this.#signed.push(call);
  }

  /** Ends the current block, because text, a tool call or the end of the answer follows. */
  close(): void {
    if (this.#isEmpty) return;
    this.#show(this.#copy.end());
    const details: JsonObject[] = this.#details.length > 0 ? this.#details : this.#plainDetails();
    const sealed = [...details, ...this.#signed.map((call) => ({ field: "thought_signature", ...call }))];
    if (!this.#open && sealed.length === 0 && !this.#emptyReported) return;
    const [only] = this.#details;
    // Only a model of Claude's name gets Claude's signatures back. Any other model, such as `openrouter/auto` or a
    // proxy's alias, gets what is sealed with its own origin.
    const isOnlyClaude = this.#isClaude && sealed.length === 1 && only?.format === CLAUDE_FORMAT;
    const claude = isOnlyClaude ? only : undefined;
    if (this.#open) {
      // Claude's signature is valid only with its text. If the text is not shown, both are sealed.
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

  /** True if there is nothing to end, as between two pieces of text. */
  get #isEmpty(): boolean {
    return !this.#open && this.#details.length === 0 && this.#signed.length === 0 && !this.#emptyReported &&
      this.#copy.isEmpty;
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

  /** Returns reasoning without details as details. Empty tags are not reasoning. */
  #plainDetails(): JsonObject[] {
    return this.#open
      ? [...this.#plain].map(([field, text]) => ({ type: "reasoning.text", text, field }))
      : [];
  }

  /** Ends the block before a detail that needs its own signature: each of Claude's, and text after a signed one. */
  #keepApart(detail: ReasoningDetail): void {
    const last = this.#details.at(-1);
    if (last === undefined) return;
    const claude = last.format === CLAUDE_FORMAT || detail.format === CLAUDE_FORMAT;
    if ((detail.text && last.signature) || (claude && !continues(last, detail))) this.close();
  }

  /** Appends a detail, or merges it into the last one if it continues that. */
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

/** True if the detail is a further piece of the last one: pieces share type, index and id. */
function continues(last: ReasoningDetail, { type, index, id }: ReasoningDetail): boolean {
  return last.type === type && last.index === index && (!last.id || !id || last.id === id) &&
    type !== "reasoning.encrypted";
}
