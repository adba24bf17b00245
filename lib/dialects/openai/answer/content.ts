import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { MessageWriter } from "../../../anthropic/writer.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import type { HostContext } from "../chat.ts";
import type { ChatDelta } from "./chunk.ts";
import { CitationReader } from "./citations.ts";
import { collectSchemas } from "../offer_tools.ts";
import { ReasoningReader } from "./reasoning.ts";
import { type TextToolCall, TextToolCalls } from "./text_tool_calls.ts";
import { type TaggedPiece, ThinkTags } from "./think_tags.ts";
import type { SignedCall } from "./thought_signatures.ts";

/** Reads what a model thinks and says beside its tool calls, in whatever field and form its host brings it. */
export class ContentReader {
  readonly #writer: MessageWriter;
  readonly #reasoning: ReasoningReader;
  readonly #citations: CitationReader;
  /** Tells thoughts from text, where the host does not; what is no host's habit is not looked for. */
  readonly #tags: ThinkTags | undefined;
  /** Finds calls in the text, where they may be. */
  readonly #textCalls: TextToolCalls | undefined;
  #chars = 0;

  constructor(writer: MessageWriter, request: MessagesRequest, { features, origin, names }: HostContext) {
    const { thinking } = request;
    const shown = !(isObject(thinking) && thinking.display === "omitted");
    const offered = features.callsInText ? [...collectSchemas(request).keys()] : [];
    this.#writer = writer;
    this.#reasoning = new ReasoningReader(writer, { origin, shown });
    this.#citations = new CitationReader(writer, origin);
    this.#tags = features.thinkTags ? new ThinkTags() : undefined;
    this.#textCalls = offered.length > 0
      ? new TextToolCalls(new Set(offered.map((name) => names.toUpstream(name))))
      : undefined;
  }

  /** How many characters were thought and said. */
  get chars(): number {
    return this.#chars;
  }

  /** Takes a delta. */
  push(delta: ChatDelta): void {
    const { text, thought } = readContent(delta);
    this.#reasoning.push(delta, thought);
    this.#chars += thought.length + (delta.reasoning ?? delta.reasoning_content ?? "").length;
    if (this.#tags === undefined) this.#pushText(text);
    else if (text !== "") this.#pushTagged(this.#tags.push(text));
    this.#citations.pushAnnotations(delta.annotations);
    this.#text(delta.refusal ?? "");
  }

  /** Takes the sources that stand beside the choices of a chunk. */
  cite(chunk: JsonObject): void {
    this.#citations.pushSearchResults(chunk);
  }

  /** Takes the signature of a tool call that is about to begin. */
  sign(call: SignedCall): void {
    this.#reasoning.sign(call);
  }

  /** Ends what was said so far, because a tool is called. */
  close(): void {
    if (this.#tags) this.#pushTagged(this.#tags.end());
    this.#release(this.#textCalls?.end(false).text ?? "");
    this.#reasoning.close();
  }

  /** Takes the end; gives the calls that were said in the text of a `complete` answer: not cut, and no call already. */
  end({ complete }: { complete: boolean }): TextToolCall[] {
    if (this.#tags) this.#pushTagged(this.#tags.end());
    const unclosed = this.#tags?.unclosed;
    if (unclosed && complete) {
      // A thought that never ended, and after which nothing came, was the answer itself.
      this.#reasoning.keepTag("<think>");
      this.#text(unclosed);
    }
    const { calls, text } = this.#textCalls?.end(complete) ?? { calls: [], text: "" };
    this.#release(text);
    this.#reasoning.close();
    return calls;
  }

  #pushTagged({ thought, raw, text }: TaggedPiece): void {
    this.#reasoning.pushTagged(thought, raw);
    this.#chars += raw.length;
    this.#pushText(text);
  }

  /** Says a piece of text, but for what may be a call. */
  #pushText(text: string): void {
    const released = this.#textCalls?.push(text) ?? text;
    this.#chars += text.length - released.length;
    this.#text(released);
  }

  /** Says what was held, and counted as said when it came. */
  #release(held: string): void {
    this.#chars -= held.length;
    this.#text(held);
  }

  #text(text: string): void {
    if (text === "") return;
    this.#reasoning.close();
    this.#writer.text(text);
    this.#citations.flush();
    this.#chars += text.length;
  }
}

/** Reads the content of a delta, plain or in parts: what is said, and what is thought. */
function readContent({ content }: ChatDelta): { text: string; thought: string } {
  if (!Array.isArray(content)) return { text: content ?? "", thought: "" };
  const all = (type: "text" | "thinking") =>
    content.filter((part) => part.type === type).map((part) => plainText(part[type])).join("");
  return { text: all("text"), thought: all("thinking") };
}

/** Text that hosts send plain, or once more as a list of text parts. */
function plainText(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return "";
  return value.map((part) => isObject(part) ? plainText(part.text) : "").join("");
}
