import { ApiError } from "../base/errors.ts";
import { readAll } from "../base/passing_generator.ts";
import { AnswerSize } from "./answer_size.ts";
import { parseToolInput } from "./tool_input/parse_input.ts";
import type { ResponseBlock, ResponseMessage, StreamEvent } from "./events.ts";

/**
 * Combines the events of a stream into one message, the answer to a request that does not stream.
 *
 * @throws {ApiError} `api_error` if the events end before `message_stop`, or if the message is larger than 32 MiB.
 *
 * @example Usage
 * ```ts
 * import { collectMessage } from "./collect.ts";
 * import { MessageWriter } from "./writer.ts";
 *
 * const writer = new MessageWriter({ id: "msg_1", model: "m", usage: { input_tokens: 3, output_tokens: 0 } });
 * writer.text("Hello");
 * writer.end("end_turn");
 * const message = await collectMessage([writer.take()]);
 * if (message.content[0]?.text !== "Hello") throw new Error("text is lost");
 * ```
 */
export async function collectMessage(
  batches: AsyncGenerator<StreamEvent[]> | Iterable<StreamEvent[]>,
): Promise<ResponseMessage> {
  const accumulator = new MessageAccumulator();
  const add = (batch: StreamEvent[]) => {
    for (const event of batch) accumulator.add(event);
  };
  if (!(Symbol.iterator in batches)) await readAll(batches, add);
  else for (const batch of batches) add(batch);
  return accumulator.message();
}

/** Builds a message from its events. */
export class MessageAccumulator {
  #message: ResponseMessage | undefined;
  #finished = false;
  readonly #inputs = new Map<number, string>();
  readonly #citations = new Map<number, unknown[]>();
  readonly #size = new AnswerSize();

  /** Blocks received so far. The last one may be incomplete. */
  get content(): readonly ResponseBlock[] {
    return this.#message?.content ?? [];
  }

  /**
   * Adds the next event.
   *
   * @throws {ApiError} `api_error` (502) if the message becomes larger than 32 MiB.
   */
  add(event: StreamEvent): void {
    this.#size.add(event);
    switch (event.type) {
      case "message_start":
        this.#message = { ...event.message, content: [], usage: { ...event.message.usage } };
        return;
      case "content_block_start":
        this.#requireMessage().content[event.index] = { ...event.content_block };
        return;
      case "content_block_delta":
        return this.#addDelta(event.index, event.delta);
      case "content_block_stop":
        return this.#closeBlock(event.index);
      case "message_delta": {
        const { type: _type, delta, usage, ...rest } = event;
        const { content, usage: before, ...message } = this.#requireMessage();
        // Spread instead of assignment: a field named `__proto__` must stay an ordinary field.
        this.#message = {
          ...message,
          ...delta,
          ...rest,
          content,
          usage: { ...before, ...withoutNulls(usage) },
        };
        return;
      }
      case "message_stop":
        this.#finished = true;
        return;
      case "ping":
      case "(unknown)":
        return;
    }
  }

  /**
   * Returns the complete message.
   *
   * @throws {ApiError} `api_error` if `message_stop` has not arrived.
   */
  message(): ResponseMessage {
    if (!this.#finished) {
      throw new ApiError("api_error", "Cannot answer: the upstream's stream ended before message_stop");
    }
    return this.#requireMessage();
  }

  #requireMessage(): ResponseMessage {
    if (this.#message === undefined) {
      throw new ApiError(
        "api_error",
        "Cannot answer: the upstream sent an event before message_start",
      );
    }
    return this.#message;
  }

  #block(index: number): ResponseBlock {
    const block = this.#requireMessage().content[index];
    if (block === undefined) {
      throw new ApiError(
        "api_error",
        `Cannot answer: the upstream sent a delta for block ${index} without its start`,
      );
    }
    return block;
  }

  #addDelta(index: number, delta: { type: string; [field: string]: unknown }): void {
    const block = this.#block(index);
    switch (delta.type) {
      case "text_delta":
        block.text = `${block.text ?? ""}${delta.text}`;
        return;
      case "thinking_delta":
        block.thinking = `${block.thinking ?? ""}${delta.thinking}`;
        return;
      case "signature_delta":
        block.signature = delta.signature;
        return;
      case "input_json_delta":
        this.#inputs.set(index, `${this.#inputs.get(index) ?? ""}${delta.partial_json}`);
        return;
      case "citations_delta":
        this.#cite(index, block, delta.citation);
        return;
      default: {
        // Newer kinds of delta carry whole values, as `compaction_delta` does.
        const { type: _type, ...fields } = delta;
        this.#requireMessage().content[index] = { ...block, ...fields };
      }
    }
  }

  /** Adds a citation to the list of the block, which is not the upstream's own list. */
  #cite(index: number, block: ResponseBlock, citation: unknown): void {
    const citations = this.#citations.get(index) ??
      (Array.isArray(block.citations) ? [...block.citations] : []);
    citations.push(citation);
    this.#citations.set(index, citations);
    block.citations = citations;
  }

  #closeBlock(index: number): void {
    const text = this.#inputs.get(index);
    // A message cut by `max_tokens` may end inside the arguments. If they are not JSON, the start event's input stays.
    const input = text ? parseToolInput(text) : undefined;
    if (input !== undefined) this.#block(index).input = input;
  }
}

/** Removes counts without a value, which must not replace earlier counts. */
function withoutNulls(usage: object): object {
  const hasNull = Object.values(usage).some((count) => count === null || count === undefined);
  return !hasNull ? usage : Object.fromEntries(
    Object.entries(usage).filter(([, count]) => count !== null && count !== undefined),
  );
}
