import { MessageAccumulator } from "../anthropic/collect.ts";
import type { MessageDelta, MessageStart, ResponseBlock, StreamEvent } from "../anthropic/events.ts";
import { toBlockEvents } from "../anthropic/to_events.ts";
import { type ContentBlock, parseBlock } from "../anthropic/schema.ts";
import type { JsonObject } from "../base/json.ts";
import { sumUsage, toUsage } from "./usage.ts";

/** Combines several turns into one message for the client, with consecutive block indexes. */
export class CombinedMessage {
  readonly #accumulator = new MessageAccumulator();
  readonly #firstBlocks: readonly ResponseBlock[];
  #started = false;
  #nextIndex = 0;
  #usage: JsonObject = {};
  #counts = new Map<string, number>();

  /** `firstBlocks` precede those of the turns. */
  constructor(firstBlocks: readonly ResponseBlock[] = []) {
    this.#firstBlocks = firstBlocks;
  }

  /** Starts the message; ignores the start of later turns. */
  start(event: MessageStart): StreamEvent[] {
    if (this.#started) return [];
    this.#started = true;
    return [...this.#record([event]), ...this.#firstBlocks.flatMap((block) => this.addBlock(block))];
  }

  /** Opens a block. */
  open(content_block: ResponseBlock): StreamEvent[] {
    return this.#record([{ type: "content_block_start", index: this.#nextIndex, content_block }]);
  }

  /** Adds a delta to the open block. */
  addDelta(delta: { type: string; [field: string]: unknown }): StreamEvent[] {
    return this.#record([{ type: "content_block_delta", index: this.#nextIndex, delta }]);
  }

  /** Closes the open block. */
  close(): StreamEvent[] {
    return this.#record([{ type: "content_block_stop", index: this.#nextIndex++ }]);
  }

  /** Adds a complete block. */
  addBlock(block: ResponseBlock): StreamEvent[] {
    return this.#record(toBlockEvents(block, this.#nextIndex++));
  }

  /** Adds the usage of a turn. */
  addUsage(usage: JsonObject): void {
    this.#usage = sumUsage(this.#usage, usage);
  }

  /** Increments a counter of `server_tool_use` in the usage. */
  count(counter: string): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1);
  }

  /** Ends the message like its last turn, with the usage of all turns. */
  end(last: MessageDelta): StreamEvent[] {
    const counts = this.#counts.size === 0 ? {} : { server_tool_use: Object.fromEntries(this.#counts) };
    const usage = toUsage(sumUsage(this.#usage, counts));
    return this.#record([{ ...last, usage }, { type: "message_stop" }]);
  }

  /** Blocks of the message so far, as in a request. */
  get content(): ContentBlock[] {
    return this.#accumulator.content.map(parseBlock);
  }

  #record(events: StreamEvent[]): StreamEvent[] {
    for (const event of events) this.#accumulator.add(event);
    return events;
  }
}
