import { createParser } from "eventsource-parser";
import { BareJson } from "./bare_json.ts";
import type { ServerSentEvent } from "../../dialects/mod.ts";
import { ApiError } from "../../base/errors.ts";
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
export async function* readEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSentEvent[]> {
  let batch: ServerSentEvent[] = [];
  /** Failure after the events of the batch. */
  let failure: ApiError | undefined;
  const bareJson = new BareJson();
  const add = (event: ServerSentEvent) => {
    const excess = findExcess(event.data);
    if (excess !== undefined) {
      failure ??= excessError("Cannot read the upstream's stream: an event", excess);
    }
    if (failure === undefined) batch.push(event);
  };
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: add,
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") {
        failure ??= new ApiError(
          "api_error",
          "Cannot read the upstream's stream: an event is larger than 16 MiB",
          { status: 502 },
        );
      }
      if (error.field === "error") add({ event: "error", data: error.value ?? "" });
      const data = error.line === undefined ? undefined : bareJson.push(error.line);
      if (data !== undefined) add({ data });
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of chunks) {
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
