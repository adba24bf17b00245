import { createParser } from "eventsource-parser";
import { readBytes, type ReadOptions } from "./read_body.ts";
import type { ServerSentEvent } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import { findExcess } from "../base/json_bounds.ts";
import { excessError } from "./excess_error.ts";

const MAX_EVENT_CHARS = 16 * 1024 * 1024;

/**
 * Reads the events of a stream, in one batch per network read.
 *
 * A line `error: …`, which llama.cpp sends outside of an event, is read as an event of that name.
 *
 * @throws {ApiError} `api_error` if one event grows past 16 MiB or exceeds the bounds of JSON; the signal's reason, once
 * it has fired.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<ServerSentEvent[]> {
  let batch: ServerSentEvent[] = [];
  /** Failure after the events of the batch. */
  let failure: ApiError | undefined;
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent(event) {
      const excess = findExcess(event.data);
      if (excess !== undefined) {
        failure ??= excessError("Cannot read the upstream's stream: an event", excess);
      }
      if (failure === undefined) batch.push(event);
    },
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") {
        failure ??= new ApiError(
          "api_error",
          "Cannot read the upstream's stream: an event is larger than 16 MiB",
          { status: 502 },
        );
      }
      if (error.field === "error" && failure === undefined) {
        batch.push({ event: "error", data: error.value ?? "" });
      }
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of readBytes(body, options)) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    if (batch.length > 0) yield batch;
    if (failure !== undefined) throw failure;
    batch = [];
  }
  // Some upstreams omit the blank line after the last event.
  parser.feed(`${decoder.decode()}\n\n`);
  if (batch.length > 0) yield batch;
  if (failure !== undefined) throw failure;
}
