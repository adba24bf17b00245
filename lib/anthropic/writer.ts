import type { JsonObject } from "../base/json.ts";
import type { ResponseBlock, StopReason, StreamEvent, Usage, UsageReport } from "./events.ts";
import { ToolInput } from "./tool_input.ts";

/** Properties of a message that are known before its first block. */
export interface MessageHead {
  id: string;
  model: string;
  usage: Usage;
}

/**
 * Writes the events of one message and enforces the grammar of the stream.
 *
 * Calls in any order produce valid events: one open block at a time, indexes without gaps, interleaved tool calls one
 * after the other, arguments that are one JSON object, then one `message_delta` and one `message_stop`.
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
  /** Blocks not yet closed, in the order of opening. Only the first is open in the written events. */
  readonly #queue: QueuedBlock[] = [];
  #events: StreamEvent[] = [];
  #started = false;
  #index = -1;

  constructor(head: MessageHead) {
    this.#head = head;
  }

  /** Returns the events written since the last call. */
  take(): StreamEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Writes `message_start`, unless it is already written. */
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

  /** Adds a piece of text. */
  text(text: string): void {
    if (text === "") return;
    const block = this.#last("text") ?? this.#add({ type: "text", text: "" });
    this.#emit(block, { type: "text_delta", text });
  }

  /** Adds a citation to the last block. Returns false if that block is not an open text block. */
  cite(citation: JsonObject): boolean {
    const block = this.#last("text");
    if (block !== undefined) this.#emit(block, { type: "citations_delta", citation });
    return block !== undefined;
  }

  /** Adds a piece of thinking. An empty piece only opens the block. */
  thinking(thinking: string): void {
    const block = this.#last("thinking") ?? this.#add({ type: "thinking", thinking: "", signature: "" });
    if (thinking !== "") this.#emit(block, { type: "thinking_delta", thinking });
  }

  /** Adds the signature to the last block and ends it. Does nothing if that block is not open thinking. */
  signature(signature: string): void {
    const block = this.#last("thinking");
    if (block === undefined) return;
    this.#emit(block, { type: "signature_delta", signature });
    block.ended = true;
    this.#advance();
  }

  /** Adds a block whose start event holds all its content. */
  addBlock(content: ResponseBlock): void {
    this.#add(content).ended = true;
    this.#advance();
  }

  /**
   * Opens a tool call and returns a function that adds a fragment of its arguments.
   *
   * With a schema, arguments of the wrong type are converted if possible.
   */
  tool(id: string, name: string, schema?: JsonObject): (fragment: string) => void {
    const input = new ToolInput(schema);
    const block = this.#add({ type: "tool_use", id, name, input: {} }, input);
    this.#emit(block, toInputDelta(block, ""));
    return (fragment) => this.#pushInput(block, input, fragment);
  }

  /** Opens a text block that holds one JSON object, and returns a function that adds a fragment of it. */
  json(): (fragment: string) => void {
    const input = new ToolInput();
    const block = this.#add({ type: "text", text: "" }, input);
    return (fragment) => this.#pushInput(block, input, fragment);
  }

  /** Ends the text blocks that hold one JSON object, even if the text is something else. Returns false without any. */
  endJson(): boolean {
    const blocks = this.#queue.filter(({ content, input, ended }) =>
      content.type === "text" && input && !ended
    );
    for (const block of blocks) {
      const rest = block.input?.remainder() ?? "";
      if (rest !== "") this.#emit(block, toInputDelta(block, rest));
      block.ended = true;
    }
    return blocks.length > 0;
  }

  /** Records token counts. Later counts replace earlier ones. */
  usage(report: UsageReport): void {
    this.#report = { ...this.#report, ...report };
  }

  /**
   * Ends the message.
   *
   * @throws {SyntaxError} if the arguments of a call are not one JSON object, unless `reason` may truncate the message.
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

  /** Returns the last block, if it has this type and is still open. */
  #last(type: string): QueuedBlock | undefined {
    const block = this.#queue.at(-1);
    return block?.content.type === type && block.input === undefined && !block.ended ? block : undefined;
  }

  #add(content: ResponseBlock, input?: ToolInput): QueuedBlock {
    this.start();
    // A new block ends text and thinking. A tool call may still receive arguments.
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

  /** Starts the first block of the queue. Closes it if it is complete, and continues with the next. */
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

/** Stop reasons that may truncate a message at any point. */
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

/** `stop_details` of a refusal. Upstreams of other APIs report no category and no explanation. */
const REFUSAL_DETAILS = { type: "refusal", category: null, explanation: null };

function toInputDelta({ content }: QueuedBlock, text: string): Delta {
  return content.type === "text"
    ? { type: "text_delta", text }
    : { type: "input_json_delta", partial_json: text };
}

type Delta = { type: string; [field: string]: unknown };

interface QueuedBlock {
  content: ResponseBlock;
  /** Filter of a block that holds one JSON object: a tool call, or text of that form. */
  input: ToolInput | undefined;
  /** True if the block cannot receive more content. */
  ended: boolean;
  /** Deltas held until the block is first in the queue; `undefined` once the block is started. */
  pending: Delta[] | undefined;
}
