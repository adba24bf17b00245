import type { ResponseBlock, StreamEvent } from "./events.ts";

/** A piece of a block. */
export type Delta = { type: string; [field: string]: unknown };

/** Filter of a block's input, which arrives in fragments. */
export interface InputFilter {
  /** True if the input is complete, so that a later block may start. */
  readonly complete: boolean;
  /** Adds a fragment and returns the text that can be sent now. */
  push(fragment: string): string;
  /** Ends the input and returns the remaining text. @throws {SyntaxError} if it is not a JSON object. */
  end(): string;
  /** Returns the remaining text of a truncated input. */
  flush(): string;
  /** Returns all the remaining text of an input that is not a JSON object. */
  remainder(): string;
}

/** A block of the queue. */
export interface QueuedBlock {
  content: ResponseBlock;
  /** Filter of a block that holds one JSON object: a tool call, or text of that form. */
  input: InputFilter | undefined;
  /** True if the block cannot receive more content. */
  ended: boolean;
  /** Error of an input that is not a JSON object. The block is not closed until it is known whether a limit cut it. */
  broken?: unknown;
  /** Deltas held until the block is first in the queue; `undefined` once the block is started. */
  pending: Delta[] | undefined;
}

/**
 * Writes the events of blocks: one open block at a time, with indexes without gaps.
 *
 * A new block ends the one before it. A block with an input stays open until its input is complete, and holds back the
 * blocks behind it.
 */
export class BlockQueue {
  readonly #write: (event: StreamEvent) => void;
  /** Blocks not yet closed, in the order of opening. Only the first is open in the written events. */
  readonly #queue: QueuedBlock[] = [];
  #index = -1;

  /** `write` receives each event. */
  constructor(write: (event: StreamEvent) => void) {
    this.#write = write;
  }

  /** True if a block was written, or waits for the end of an earlier one. */
  get hasBlocks(): boolean {
    return this.#index >= 0 || this.#queue.length > 0;
  }

  /** The last block, unless it is closed. */
  get last(): QueuedBlock | undefined {
    return this.#queue.at(-1);
  }

  /** Opens a block. */
  add(content: ResponseBlock, input?: InputFilter): QueuedBlock {
    const before = this.last;
    if (before !== undefined && before.input === undefined) before.ended = true;
    const block: QueuedBlock = { content, input, ended: false, pending: [] };
    this.#queue.push(block);
    this.#advance();
    return block;
  }

  /** Adds a delta to a block, unless it has ended. */
  delta(block: QueuedBlock, delta: Delta): void {
    if (block.ended) return;
    this.#emit(block, delta);
    this.#advance();
  }

  /** Adds a fragment to the input of a block, unless it has ended. */
  input(block: QueuedBlock, fragment: string): void {
    if (block.ended || block.input === undefined) return;
    this.#emitInput(block, block.input.push(fragment));
    this.#advance();
  }

  /** Ends a block with the rest of its input. */
  end(block: QueuedBlock): void {
    if (block.ended) return;
    try {
      this.#emitInput(block, block.input?.end() ?? "");
    } catch (error) {
      block.broken = error;
    }
    block.ended = true;
    this.#advance();
  }

  /**
   * Ends all blocks.
   *
   * @throws {SyntaxError} if an input is not a JSON object, unless the message is `truncated`.
   */
  endAll({ truncated }: { truncated: boolean }): void {
    for (const block of [...this.#queue]) this.end(block);
    for (const block of this.#queue.filter(({ broken }) => broken !== undefined)) {
      if (!truncated) throw block.broken;
      this.#emitInput(block, block.input?.flush() ?? "");
      block.broken = undefined;
    }
    this.#advance();
  }

  /** Ends text blocks whose input is not a JSON object with the rest of their text. Returns false if there is none. */
  acceptBrokenText(): boolean {
    const blocks = this.#queue.filter(({ content, broken }) =>
      content.type === "text" && broken !== undefined
    );
    for (const block of blocks) {
      this.#emitInput(block, block.input?.remainder() ?? "");
      block.broken = undefined;
    }
    this.#advance();
    return blocks.length > 0;
  }

  #emitInput(block: QueuedBlock, text: string): void {
    if (text !== "") this.#emit(block, toInputDelta(block, text));
  }

  #emit(block: QueuedBlock, delta: Delta): void {
    if (block.pending !== undefined) block.pending.push(delta);
    else this.#write({ type: "content_block_delta", index: this.#index, delta });
  }

  /** Starts the first block of the queue. Closes it if it is complete, and continues with the next. */
  #advance(): void {
    for (let block = this.#queue[0]; block !== undefined; block = this.#queue[0]) {
      if (block.pending !== undefined) this.#start(block, block.pending);
      const last = this.#queue.length === 1;
      if (block.broken !== undefined || (!block.ended && (last || !block.input?.complete))) return;
      block.ended = true;
      this.#write({ type: "content_block_stop", index: this.#index });
      this.#queue.shift();
    }
  }

  #start(block: QueuedBlock, pending: Delta[]): void {
    const index = ++this.#index;
    block.pending = undefined;
    this.#write({ type: "content_block_start", index, content_block: block.content });
    for (const delta of pending) this.#write({ type: "content_block_delta", index, delta });
  }
}

/** Returns the delta that carries a fragment of a block's input. */
export function toInputDelta({ content }: QueuedBlock, text: string): Delta {
  return content.type === "text"
    ? { type: "text_delta", text }
    : { type: "input_json_delta", partial_json: text };
}
