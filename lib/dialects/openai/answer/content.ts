import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { MessageWriter } from "../../../anthropic/writer.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import { isClaude } from "../../reasoning/origin.ts";
import type { HostContext } from "../chat.ts";
import { AttachmentReader } from "./attachments.ts";
import type { ChatDelta } from "./chunk.ts";
import { CitationReader } from "../../citations.ts";
import { collectSchemas } from "../../offered_tools/offer_tools.ts";
import { ReasoningReader } from "./reasoning.ts";
import { type TextToolCall, TextToolCalls } from "./text_tool_calls.ts";
import { type TaggedPiece, ThinkTags } from "./think_tags.ts";
import type { SignedCall } from "./thought_signatures.ts";

/** Converts text, reasoning, citations and attachments of an answer, in any field and form that hosts use. */
export class ContentReader {
  readonly #writer: MessageWriter;
  readonly #reasoning: ReasoningReader;
  readonly #citations: CitationReader;
  readonly #attachments = new AttachmentReader();
  /** Separates reasoning from text. Undefined for Claude, which sends no reasoning inside the text. */
  readonly #tags: ThinkTags | undefined;
  /** Finds tool calls in the text. Undefined unless the host may send them there. */
  readonly #textCalls: TextToolCalls | undefined;
  #chars = 0;

  constructor(
    writer: MessageWriter,
    request: MessagesRequest,
    { features, origin, names, model }: HostContext,
  ) {
    const { thinking } = request;
    const shown = !(isObject(thinking) && thinking.display === "omitted");
    const offered = features.callsInText ? [...collectSchemas(request).keys()] : [];
    this.#writer = writer;
    this.#reasoning = new ReasoningReader(writer, { origin, shown, isClaude: isClaude(model) });
    this.#citations = new CitationReader(writer, origin);
    this.#tags = isClaude(model) ? undefined : new ThinkTags();
    this.#textCalls = offered.length > 0
      ? new TextToolCalls(new Set(offered.map((name) => names.toUpstream(name))))
      : undefined;
  }

  /** Number of characters of reasoning and text so far. */
  get chars(): number {
    return this.#chars;
  }

  /** Converts one delta. */
  push(delta: ChatDelta): void {
    const { text, thought } = readContent(delta, this.#attachments);
    this.#reasoning.push(delta, thought);
    this.#chars += thought.length + (delta.reasoning ?? delta.reasoning_content ?? "").length;
    if (this.#tags === undefined) this.#pushText(text);
    else if (text !== "") this.#pushTagged(this.#tags.push(text));
    this.#citations.pushAnnotations(delta.annotations);
    this.#text(delta.refusal ?? "");
    this.#text(this.#attachments.push(delta));
  }

  /** Reads the citations beside the choices of a chunk. */
  cite(chunk: JsonObject): void {
    this.#citations.pushSearchResults(chunk);
  }

  /** Adds the signature of a tool call that is about to begin. */
  sign(call: SignedCall): void {
    this.#reasoning.sign(call);
  }

  /** Ends the current text or reasoning before a tool call. */
  close(): void {
    if (this.#tags) this.#pushTagged(this.#tags.end());
    this.#release(this.#textCalls?.end(false).text ?? "");
    this.#reasoning.close();
  }

  /**
   * Ends the answer. If it is `complete`, returns the tool calls in its text. An answer is complete if it was not cut
   * and has no other tool calls.
   */
  end({ complete }: { complete: boolean }): TextToolCall[] {
    if (this.#tags) this.#pushTagged(this.#tags.end());
    const unclosed = this.#tags?.unclosed;
    if (unclosed && complete && !this.#reasoning.hasField) {
      // Reasoning whose tag is never closed is the answer itself.
      this.#reasoning.keepTag("<think>");
      this.#text(unclosed);
    }
    const { calls, text } = this.#textCalls?.end(complete) ?? { calls: [], text: "" };
    this.#release(text);
    this.#text(this.#attachments.end());
    this.#reasoning.close();
    return calls;
  }

  #pushTagged({ thought, raw, text }: TaggedPiece): void {
    this.#reasoning.pushTagged(thought, raw);
    this.#chars += raw.length;
    this.#pushText(text);
  }

  /** Writes a piece of text. Holds back what may be a tool call. */
  #pushText(text: string): void {
    const released = this.#textCalls?.push(text) ?? text;
    this.#chars += text.length - released.length;
    this.#text(released);
  }

  /** Writes text that was held back. It was counted when it arrived. */
  #release(held: string): void {
    this.#chars -= held.length;
    this.#text(held);
  }

  #text(text: string): void {
    if (text === "") return;
    // A blank text between two pieces of reasoning ends none.
    if (text.trim() !== "") this.#reasoning.close();
    this.#writer.text(text);
    this.#citations.flush();
    this.#chars += text.length;
  }
}

/** Returns text and reasoning of a delta's content: plain text, a list of parts, or a value that is the answer. */
function readContent(
  { content }: ChatDelta,
  attachments: AttachmentReader,
): { text: string; thought: string } {
  if (typeof content === "string") return { text: content, thought: "" };
  if (content === null || content === undefined) return { text: "", thought: "" };
  // Cloudflare's JSON mode sends the value itself.
  if (!isPartList(content)) return { text: JSON.stringify(content), thought: "" };
  let text = "";
  let thought = "";
  for (const part of content) {
    if (typeof part === "string") text += part;
    else if (THINKING_PARTS.has(String(part.type))) thought += plainText(part.thinking ?? part.text);
    else if (TEXT_PARTS.has(part.type) || (part.type === undefined && "text" in part)) {
      text += plainText(part.text);
    } else text += attachments.part(part);
  }
  return { text, thought };
}

const TEXT_PARTS = new Set<unknown>(["text", "output_text"]);
const THINKING_PARTS = new Set(["thinking", "reasoning"]);

/** Fields by which an object is known as a part. Gemini's parts have no type. */
const PART_FIELDS = ["type", "text", "inline_data", "inlineData", "image_url"];

/** True for a list of parts. Any other list is a value, as of JSON mode. */
function isPartList(content: unknown): content is (string | JsonObject)[] {
  return Array.isArray(content) &&
    content.every((part) =>
      typeof part === "string" || (isObject(part) && PART_FIELDS.some((field) => field in part))
    );
}

/** Returns the text of a part, which hosts send as a string or as a nested list of text parts. */
function plainText(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return "";
  return value.map((part) => isObject(part) ? plainText(part.text) : "").join("");
}
