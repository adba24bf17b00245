import type { JsonObject } from "../base/json.ts";
import type { ResponseBlock, StreamEvent, Usage, UsageReport } from "./events.ts";
import { BlockQueue, type Delta, type InputFilter, type QueuedBlock, toInputDelta } from "./block_queue.ts";
import { ToolInput } from "./tool_input/tool_input.ts";

/** Properties of a message that are known before its first block. */
export interface MessageHead {
  id: string;
  model: string;
  usage: Usage;
  /** Further fields of the message. */
  fields?: JsonObject;
}

/** A block that is being written. */
export interface OpenBlock {
  /** True if the block cannot receive more content. */
  readonly ended: boolean;
  /** Adds a delta. */
  delta(delta: Delta): void;
  /** Adds a fragment of the input, through the filter of the block. */
  input(fragment: string): void;
  /** Ends the block. */
  end(): void;
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
  #head: MessageHead;
  #report: UsageReport = {};
  readonly #blocks = new BlockQueue((event) => this.#events.push(event));
  #events: StreamEvent[] = [];
  #started = false;
  #hasOutput = false;
  /** Blank text at the beginning of a text block, which is held back until other text follows. */
  #blank = "";

  constructor(head: MessageHead) {
    this.#head = head;
  }

  /** Replaces the properties of the message. Has no effect after `message_start`. */
  set head(head: MessageHead) {
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
    const { id, model, usage, fields } = this.#head;
    this.#events.push({
      type: "message_start",
      message: {
        ...fields,
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

  /** True if a block was written, or waits for the end of an earlier one. */
  get hasContent(): boolean {
    return this.#blocks.hasBlocks;
  }

  /** True if a block other than thinking was written, or waits for the end of an earlier one. */
  get hasOutput(): boolean {
    return this.#hasOutput;
  }

  /**
   * Adds a piece of text. A text that is only blank is not written, because Anthropic's API rejects it in the next
   * turn.
   */
  text(text: string): void {
    const last = this.#last("text");
    const all = last === undefined ? this.#blank + text : text;
    this.#blank = "";
    if (last === undefined && all.trim() === "") {
      this.#blank = all;
      return;
    }
    if (all === "") return;
    const block = last ?? this.#add({ type: "text", text: "" });
    this.#blocks.delta(block, { type: "text_delta", text: all });
  }

  /** Adds a citation to the last block. Returns false if that block is not an open text block. */
  cite(citation: JsonObject): boolean {
    const block = this.#last("text");
    if (block !== undefined) this.#blocks.delta(block, { type: "citations_delta", citation });
    return block !== undefined;
  }

  /** Adds a piece of thinking. An empty piece only opens the block. */
  thinking(thinking: string): void {
    const block = this.#last("thinking") ?? this.#add({ type: "thinking", thinking: "", signature: "" });
    if (thinking !== "") this.#blocks.delta(block, { type: "thinking_delta", thinking });
  }

  /** Adds the signature to the last block and ends it. Does nothing if that block is not open thinking. */
  signature(signature: string): void {
    const block = this.#last("thinking");
    if (block === undefined) return;
    this.#blocks.delta(block, { type: "signature_delta", signature });
    this.#blocks.end(block);
  }

  /** Ends the last block if it is text or thinking, so that a next piece begins another block. */
  endBlock(): void {
    const block = this.#blocks.last;
    if (block !== undefined && block.input === undefined) this.#blocks.end(block);
  }

  /** Adds a block whose start event holds all its content. */
  addBlock(content: ResponseBlock): void {
    this.#blocks.end(this.#add(content));
  }

  /**
   * Opens a block of any type, whose deltas the caller writes. With `input`, the block may receive deltas after other
   * blocks were opened, until its input is complete.
   */
  open(content: ResponseBlock, input?: InputFilter): OpenBlock {
    const block = this.#add(content, input);
    return {
      get ended() {
        return block.ended;
      },
      delta: (delta) => this.#blocks.delta(block, delta),
      input: (fragment) => this.#blocks.input(block, fragment),
      end: () => this.#blocks.end(block),
    };
  }

  /** Writes an event that is no part of a block, such as a ping. */
  pass(event: StreamEvent): void {
    this.start();
    this.#events.push(event);
  }

  /**
   * Opens a tool call and returns a function that adds a fragment of its arguments.
   *
   * With a schema, arguments of the wrong type are converted if possible.
   */
  tool(id: string, name: string, schema?: JsonObject): (fragment: string) => void {
    const block = this.#add({ type: "tool_use", id, name, input: {} }, new ToolInput(schema));
    this.#blocks.delta(block, toInputDelta(block, ""));
    return (fragment) => this.#blocks.input(block, fragment);
  }

  /** Opens a text block that holds one JSON object, and returns a function that adds a fragment of it. */
  json(): (fragment: string) => void {
    const block = this.#add({ type: "text", text: "" }, new ToolInput());
    return (fragment) => this.#blocks.input(block, fragment);
  }

  /** Accepts text blocks that should hold one JSON object and hold something else. Returns false without any. */
  endJson(): boolean {
    return this.#blocks.acceptBrokenText();
  }

  /** Records token counts. Later counts replace earlier ones. */
  usage(report: UsageReport): void {
    this.#report = { ...this.#report, ...report };
  }

  /**
   * Ends all blocks.
   *
   * @throws {SyntaxError} if the arguments of a call are not one JSON object, unless `reason` may truncate the message.
   */
  close(reason: string): void {
    this.start();
    this.#blocks.endAll({ truncated: TRUNCATING_REASONS.has(reason) });
  }

  /**
   * Ends the message. `fields` are added to the `delta` of the last event.
   *
   * @throws {SyntaxError} as {@linkcode close} does.
   */
  end(reason: string, stopSequence: string | null = null, fields: JsonObject = {}): void {
    this.close(reason);
    this.#events.push(
      {
        type: "message_delta",
        delta: {
          ...fields,
          stop_reason: reason,
          stop_sequence: stopSequence,
          ...(reason === "refusal" && { stop_details: fields.stop_details ?? REFUSAL_DETAILS }),
        },
        usage: { ...this.#head.usage, ...this.#report },
      },
      { type: "message_stop" },
    );
  }

  /** Returns the last block, if it has this type and is still open. */
  #last(type: string): QueuedBlock | undefined {
    const block = this.#blocks.last;
    return block?.content.type === type && block.input === undefined && !block.ended ? block : undefined;
  }

  #add(content: ResponseBlock, input?: InputFilter): QueuedBlock {
    this.start();
    this.#blank = "";
    this.#hasOutput ||= !THINKING_BLOCKS.has(content.type);
    return this.#blocks.add(content, input);
  }
}

/** Stop reasons that may truncate a message at any point. */
const TRUNCATING_REASONS: ReadonlySet<string> = new Set([
  "max_tokens",
  "model_context_window_exceeded",
  "refusal",
]);

const THINKING_BLOCKS: ReadonlySet<string> = new Set(["thinking", "redacted_thinking"]);

/** `stop_details` of a refusal. Upstreams of other APIs report no category and no explanation. */
const REFUSAL_DETAILS = { type: "refusal", category: null, explanation: null };
