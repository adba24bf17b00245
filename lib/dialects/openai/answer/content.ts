import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { MessageWriter } from "../../../anthropic/writer.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import type { HostContext } from "../chat.ts";
import type { Delta } from "./chunk.ts";
import { CitationReader } from "./citations.ts";
import { collectSchemas } from "../offer_tools.ts";
import { ReasoningReader } from "./reasoning.ts";
import { type SpokenCall, SpokenCalls } from "./text_tool_calls.ts";
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
  readonly #spoken: SpokenCalls | undefined;
  #said = 0;

  constructor(writer: MessageWriter, request: MessagesRequest, { features, origin, names }: HostContext) {
    const { thinking } = request;
    const shown = !(isObject(thinking) && thinking.display === "omitted");
    const offered = features.callsInText ? [...collectSchemas(request).keys()] : [];
    this.#writer = writer;
    this.#reasoning = new ReasoningReader(writer, { origin, shown });
    this.#citations = new CitationReader(writer, origin);
    this.#tags = features.thinkTags ? new ThinkTags() : undefined;
    this.#spoken = offered.length > 0
      ? new SpokenCalls(new Set(offered.map((name) => names.toUpstream(name))))
      : undefined;
  }

  /** How many characters were thought and said. */
  get said(): number {
    return this.#said;
  }

  /** Takes a delta. */
  push(delta: Delta): void {
    const { text, thought } = readContent(delta);
    this.#reasoning.push(delta, thought);
    this.#said += thought.length + (delta.reasoning ?? delta.reasoning_content ?? "").length;
    if (this.#tags === undefined) this.#heard(text);
    else if (text !== "") this.#tagged(this.#tags.push(text));
    this.#citations.annotate(delta.annotations);
    this.#text(delta.refusal ?? "");
  }

  /** Takes the sources that stand beside the choices of a chunk. */
  cite(chunk: JsonObject): void {
    this.#citations.list(chunk);
  }

  /** Takes the signature of a tool call that is about to begin. */
  sign(call: SignedCall): void {
    this.#reasoning.sign(call);
  }

  /** Ends what was said so far, because a tool is called. */
  close(): void {
    if (this.#tags) this.#tagged(this.#tags.end());
    this.#release(this.#spoken?.end(false).text ?? "");
    this.#reasoning.close();
  }

  /** Takes the end; gives the calls that were said in the text of a `whole` answer: not cut, and no call already. */
  end({ whole }: { whole: boolean }): SpokenCall[] {
    if (this.#tags) this.#tagged(this.#tags.end());
    const unclosed = this.#tags?.unclosed;
    if (unclosed && whole) {
      // A thought that never ended, and after which nothing came, was the answer itself.
      this.#reasoning.keepTag("<think>");
      this.#text(unclosed);
    }
    const { calls, text } = this.#spoken?.end(whole) ?? { calls: [], text: "" };
    this.#release(text);
    this.#reasoning.close();
    return calls;
  }

  #tagged({ thought, raw, text }: TaggedPiece): void {
    this.#reasoning.pushTagged(thought, raw);
    this.#said += raw.length;
    this.#heard(text);
  }

  /** Says a piece of text, but for what may be a call. */
  #heard(text: string): void {
    const said = this.#spoken?.push(text) ?? text;
    this.#said += text.length - said.length;
    this.#text(said);
  }

  /** Says what was held, and counted as said when it came. */
  #release(held: string): void {
    this.#said -= held.length;
    this.#text(held);
  }

  #text(text: string): void {
    if (text === "") return;
    this.#reasoning.close();
    this.#writer.text(text);
    this.#citations.say();
    this.#said += text.length;
  }
}

/** Reads the content of a delta, plain or in parts: what is said, and what is thought. */
function readContent({ content }: Delta): { text: string; thought: string } {
  if (!Array.isArray(content)) return { text: content ?? "", thought: "" };
  const all = (type: "text" | "thinking") =>
    content.filter((part) => part.type === type).map((part) => toText(part[type])).join("");
  return { text: all("text"), thought: all("thinking") };
}

/** Text that hosts send plain, or once more as a list of text parts. */
function toText(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return "";
  return value.map((part) => isObject(part) ? toText(part.text) : "").join("");
}
