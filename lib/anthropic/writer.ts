import type { JsonObject } from "../base/json.ts";
import type { ResponseBlock, StopReason, StreamEvent, Usage, UsageReport } from "./events.ts";
import { ToolInput } from "./tool_input.ts";

/** What is known of a message before its first block. */
export interface MessageHead {
  id: string;
  model: string;
  usage: Usage;
}

/**
 * The grammar of a message's stream, kept in one place: say what the model says, take the events that follow.
 *
 * Whatever order things are said in, the events are legal: one block open at a time, indexes without gaps, tool
 * calls that arrive interleaved come out one after the other, each with arguments that are one JSON object, then one
 * `message_delta` and one `message_stop`.
 *
 * @example Usage
 * ```ts
 * import { MessageWriter } from "./writer.ts";
 *
 * const writer = new MessageWriter({ id: "msg_1", model: "m", usage: { input_tokens: 3, output_tokens: 0 } });
 * writer.text("Hello");
 * writer.end("end_turn");
 * const types = writer.take().map((event) => event.type);
 * if (types.at(-1) !== "message_stop") throw new Error(types.join());
 * ```
 */
export class MessageWriter {
  readonly #head: MessageHead;
  #report: UsageReport = {};
  /** Blocks not yet closed, in the order they were opened; the first is the one the client sees open. */
  readonly #queue: QueuedBlock[] = [];
  #events: StreamEvent[] = [];
  #started = false;
  #index = -1;

  constructor(head: MessageHead) {
    this.#head = head;
  }

  /** Gives the events that are due, each once. */
  take(): StreamEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Sends `message_start`, if it was not sent yet. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    const { id, model, usage } = this.#head;
    this.#events.push({
      type: "message_start",
      message: {
        id,
        type: "message",
        role: "assistant",
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...usage },
      },
    });
  }

  /** Says a piece of text. */
  text(text: string): void {
    if (text === "") return;
    const block = this.#last("text") ?? this.#add({ type: "text", text: "" });
    this.#emit(block, { type: "text_delta", text });
  }

  /** Cites a source on the text said last; gives false where there is none that may be continued. */
  cite(citation: JsonObject): boolean {
    const block = this.#last("text");
    if (block !== undefined) this.#emit(block, { type: "citations_delta", citation });
    return block !== undefined;
  }

  /** Says a piece of thinking; an empty piece opens the block and shows nothing. */
  thinking(thinking: string): void {
    const block = this.#last("thinking") ?? this.#add({ type: "thinking", thinking: "", signature: "" });
    if (thinking !== "") this.#emit(block, { type: "thinking_delta", thinking });
  }

  /** Signs the thinking said last, which ends it. */
  signature(signature: string): void {
    const block = this.#last("thinking");
    if (block === undefined) return;
    this.#emit(block, { type: "signature_delta", signature });
    block.ended = true;
    this.#advance();
  }

  /** Adds a block that is complete in its start event. */
  addBlock(content: ResponseBlock): void {
    this.#add(content).ended = true;
    this.#advance();
  }

  /**
   * Opens a tool call and gives the function that takes its arguments, fragment by fragment. Where their schema is
   * given, arguments of the wrong type are put right.
   */
  tool(id: string, name: string, schema?: JsonObject): (fragment: string) => void {
    const input = new ToolInput(schema);
    const block = this.#add({ type: "tool_use", id, name, input: {} }, input);
    this.#emit(block, toInputDelta(block, ""));
    return (fragment) => this.#pushInput(block, input, fragment);
  }

  /** Opens a text block that is one JSON object, and gives the function that takes it, fragment by fragment. */
  json(): (fragment: string) => void {
    const input = new ToolInput();
    const block = this.#add({ type: "text", text: "" }, input);
    return (fragment) => this.#pushInput(block, input, fragment);
  }

  /** Notes token counts; later ones overwrite earlier ones. */
  usage(report: UsageReport): void {
    this.#report = { ...this.#report, ...report };
  }

  /**
   * Ends the message.
   *
   * @throws {SyntaxError} if the arguments of a call are not one JSON object, unless a limit or a filter cut the message.
   */
  end(reason: StopReason, stopSequence: string | null = null): void {
    this.start();
    for (const block of this.#queue) {
      const rest = block.ended ? "" : endInput(block.input, TRUNCATING_REASONS.has(reason));
      if (rest) this.#emit(block, toInputDelta(block, rest));
      block.ended = true;
    }
    this.#advance();
    this.#events.push(
      {
        type: "message_delta",
        delta: {
          stop_reason: reason,
          stop_sequence: stopSequence,
          ...(reason === "refusal" && { stop_details: REFUSAL_DETAILS }),
        },
        usage: { ...this.#head.usage, ...this.#report },
      },
      { type: "message_stop" },
    );
  }

  /** The newest block, if it is of this type and may be continued. */
  #last(type: string): QueuedBlock | undefined {
    const block = this.#queue.at(-1);
    return block?.content.type === type && block.input === undefined && !block.ended ? block : undefined;
  }

  #add(content: ResponseBlock, input?: ToolInput): QueuedBlock {
    this.start();
    // Text and thinking have said everything once another block begins; a tool call may be waiting for more.
    const before = this.#queue.at(-1);
    if (before !== undefined && before.input === undefined) before.ended = true;
    const block: QueuedBlock = { content, input, ended: false, pending: [] };
    this.#queue.push(block);
    this.#advance();
    return block;
  }

  #pushInput(block: QueuedBlock, input: ToolInput, fragment: string): void {
    if (block.ended) return;
    const released = input.push(fragment);
    if (released !== "") this.#emit(block, toInputDelta(block, released));
    this.#advance();
  }

  #emit(block: QueuedBlock, delta: Delta): void {
    if (block.pending !== undefined) block.pending.push(delta);
    else this.#events.push({ type: "content_block_delta", index: this.#index, delta });
  }

  /** Shows the block at the head of the queue, and closes it where it is complete. */
  #advance(): void {
    for (let block = this.#queue[0]; block !== undefined; block = this.#queue[0]) {
      if (block.pending !== undefined) this.#startBlock(block, block.pending);
      const last = this.#queue.length === 1;
      if (!block.ended && (last || !block.input?.complete)) return;
      block.ended = true;
      this.#events.push({ type: "content_block_stop", index: this.#index });
      this.#queue.shift();
    }
  }

  #startBlock(block: QueuedBlock, pending: Delta[]): void {
    const index = ++this.#index;
    block.pending = undefined;
    this.#events.push({ type: "content_block_start", index, content_block: block.content });
    for (const delta of pending) this.#events.push({ type: "content_block_delta", index, delta });
  }
}

/** The ends that come in the middle of anything. */
const TRUNCATING_REASONS: ReadonlySet<StopReason> = new Set([
  "max_tokens",
  "model_context_window_exceeded",
  "refusal",
]);

function endInput(input: ToolInput | undefined, truncated: boolean): string {
  try {
    return input?.end() ?? "";
  } catch (error) {
    if (truncated) return input?.flush() ?? "";
    throw error;
  }
}

/** All that is known of why a model of somebody else's refuses. */
const REFUSAL_DETAILS = { type: "refusal", category: null, explanation: null };

function toInputDelta({ content }: QueuedBlock, text: string): Delta {
  return content.type === "text"
    ? { type: "text_delta", text }
    : { type: "input_json_delta", partial_json: text };
}

type Delta = { type: string; [field: string]: unknown };

interface QueuedBlock {
  content: ResponseBlock;
  /** The JSON so far, where the block holds one object: a tool call, or an answer of that form. */
  input: ToolInput | undefined;
  /** Nothing more can come. */
  ended: boolean;
  /** Deltas that wait for the block's turn; gone once the block is shown. */
  pending: Delta[] | undefined;
}
