import { createParser, type ParseError } from "eventsource-parser";
import { BareJson } from "./bare_json.ts";
import type { ServerSentEvent } from "../../dialects/mod.ts";
import { ApiError } from "../../base/errors.ts";
import { END, PassingGenerator, toPassing } from "../../base/passing_generator.ts";
import { findExcess } from "../../base/json_bounds.ts";
import { excessError } from "./excess_error.ts";

const MAX_EVENT_CHARS = 16 * 1024 * 1024;

/**
 * Reads the events of a stream, in one batch per network read.
 *
 * A line `error: …`, which llama.cpp sends outside of an event, is read as an event of that name. JSON outside of an
 * event, as some hosts send errors, is read as an event.
 *
 * @throws {ApiError} `api_error` if one event grows past 16 MiB or exceeds the bounds of JSON.
 */
export function readEvents(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<ServerSentEvent[]> {
  return new EventReader(toPassing(chunks));
}

class EventReader extends PassingGenerator<ServerSentEvent[]> {
  readonly #chunks: PassingGenerator<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #bareJson = new BareJson();
  readonly #parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: (event) => this.#add(event),
    onError: (error) => this.#addLine(error),
  });
  #batch: ServerSentEvent[] = [];
  /** Failure after the events of the batch. */
  #failure: ApiError | undefined;
  #ended = false;

  constructor(chunks: PassingGenerator<Uint8Array>) {
    super();
    this.#chunks = chunks;
  }

  poll(): IteratorResult<ServerSentEvent[], undefined> | undefined {
    while (this.#batch.length === 0) {
      if (this.#failure !== undefined) {
        this.abandon();
        throw this.#failure;
      }
      if (this.#ended) return END;
      const read = this.#chunks.poll();
      if (read === undefined) return undefined;
      // Some upstreams omit the blank line after the last event.
      const text = read.done ? `${this.#decoder.decode()}\n\n` : this.#decoder.decode(read.value, STREAM);
      this.#ended = read.done === true;
      this.#parser.feed(text);
    }
    const value = this.#batch;
    this.#batch = [];
    return { done: false, value };
  }

  ready(): Promise<void> {
    return this.#chunks.ready();
  }

  async return(): Promise<IteratorResult<ServerSentEvent[], undefined>> {
    this.#ended = true;
    await this.#chunks.return();
    return END;
  }

  #add(event: ServerSentEvent): void {
    const excess = findExcess(event.data);
    if (excess !== undefined) this.#fail(excessError("Cannot read the upstream's stream: an event", excess));
    if (this.#failure === undefined) this.#batch.push(event);
  }

  /** Reads a line that belongs to no field, or an event that is too large. */
  #addLine({ type, field, value, line }: ParseError): void {
    if (type === "max-buffer-size-exceeded") {
      const why = "Cannot read the upstream's stream: an event is larger than 16 MiB";
      this.#fail(new ApiError("api_error", why, { status: 502 }));
    }
    if (field === "error") this.#add({ event: "error", data: value ?? "" });
    const data = line === undefined ? undefined : this.#bareJson.push(line);
    if (data !== undefined) this.#add({ data });
  }

  #fail(error: ApiError): void {
    this.#failure ??= error;
  }
}

const STREAM = { stream: true };
