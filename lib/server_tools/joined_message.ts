import { MessageAccumulator } from "../anthropic/collect.ts";
import type { MessageDelta, MessageStart, ResponseBlock, StreamEvent } from "../anthropic/events.ts";
import { toBlockEvents } from "../anthropic/to_events.ts";
import { type ContentBlock, parseBlock } from "../anthropic/schema.ts";
import type { JsonObject } from "../base/json.ts";
import { sumUsage, toUsage } from "./usage.ts";

/** The one message that the client is told of several turns, its blocks numbered through. */
export class CombinedMessage {
  readonly #accumulator = new MessageAccumulator();
  #started = false;
  #nextIndex = 0;
  #usage: JsonObject = {};
  #counts = new Map<string, number>();

  /** Begins the message; what begins a later turn begins nothing. */
  start(event: MessageStart): StreamEvent[] {
    if (this.#started) return [];
    this.#started = true;
    return this.#record([event]);
  }

  /** Opens a block. */
  open(content_block: ResponseBlock): StreamEvent[] {
    return this.#record([{ type: "content_block_start", index: this.#nextIndex, content_block }]);
  }

  /** Says more of the block that is open. */
  addDelta(delta: { type: string; [field: string]: unknown }): StreamEvent[] {
    return this.#record([{ type: "content_block_delta", index: this.#nextIndex, delta }]);
  }

  /** Closes the block that is open. */
  close(): StreamEvent[] {
    return this.#record([{ type: "content_block_stop", index: this.#nextIndex++ }]);
  }

  /** Says a block from its beginning to its end. */
  addBlock(block: ResponseBlock): StreamEvent[] {
    return this.#record(toBlockEvents(block, this.#nextIndex++));
  }

  /** Adds what a turn used. */
  addUsage(usage: JsonObject): void {
    this.#usage = sumUsage(this.#usage, usage);
  }

  /** Counts something that the gateway did for the message. */
  count(counter: string): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + 1);
  }

  /** Ends the message as its last turn ended, with what all turns used. */
  end(last: MessageDelta): StreamEvent[] {
    const counts = this.#counts.size === 0 ? {} : { server_tool_use: Object.fromEntries(this.#counts) };
    const usage = toUsage(sumUsage(this.#usage, counts));
    return this.#record([{ ...last, usage }, { type: "message_stop" }]);
  }

  /** What was said so far, as a model is told it again. */
  get content(): ContentBlock[] {
    return this.#accumulator.content.map(parseBlock);
  }

  #record(events: StreamEvent[]): StreamEvent[] {
    for (const event of events) this.#accumulator.add(event);
    return events;
  }
}
