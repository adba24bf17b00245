import { createParser } from "eventsource-parser";
import type { StreamEvent } from "./anthropic/events.ts";
import type { Clock } from "./clock.ts";
import type { ServerSentEvent } from "./dialects/mod.ts";
import { ApiError, type ErrorBody } from "./errors.ts";

/** The largest event an upstream may send, in characters. */
const MAX_EVENT = 16 * 1024 * 1024;

/**
 * Reads the events of a stream, in batches: all that one read of the network brought.
 *
 * A bare line `error: …`, which llama.cpp sends outside of any event, counts as an event of that name. When the signal
 * fires, the body is cancelled, so that an upstream that has fallen silent is let go as well.
 *
 * @throws {ApiError} `api_error` if one event grows past 16 MiB.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent[]> {
  let batch: ServerSentEvent[] = [];
  const parser = createParser({
    maxBufferSize: MAX_EVENT,
    onEvent: (event) => batch.push(event),
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") {
        throw new ApiError("api_error", "Cannot read the upstream's stream: an event is larger than 16 MiB");
      }
      if (error.field === "error") batch.push({ event: "error", data: error.value ?? "" });
    },
  });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      parser.feed(decoder.decode(read.value, { stream: true }));
      if (batch.length > 0) yield batch;
      batch = [];
    }
    signal.throwIfAborted();
    // Some upstreams leave out the blank line that ends the last event.
    parser.feed(`${decoder.decode()}\n\n`);
    if (batch.length > 0) yield batch;
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/** How an answer ended: said to its end, broken off by a failure, or nobody was there any more to hear it. */
export type Outcome = "finished" | "failed" | "left";

/** What {@linkcode writeEvents} needs to know of its surroundings. */
export interface WriteOptions {
  clock: Clock;
  /** Milliseconds of silence after which a `ping` is sent. */
  pingEvery: number;
  /** Says an error in the client's words. */
  toErrorBody(error: unknown): ErrorBody;
  /** Called once, when the stream has ended one way or the other. */
  onEnd(outcome: Outcome, error?: unknown): void;
}

/**
 * Writes events as the body of a `text/event-stream`.
 *
 * The client sets the pace: nothing is read ahead of it. Silence is filled with `ping`; a failure is told as
 * `event: error`, and nothing comes after it. When the client leaves, `onEnd` hears of it before the events are let go.
 */
export function writeEvents(
  batches: AsyncGenerator<StreamEvent[]>,
  { clock, pingEvery, toErrorBody, onEnd }: WriteOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let lastWrite = clock.now();
  let stopPings = () => {};
  let ended = false;
  const finish = (outcome: Outcome, error?: unknown) => {
    ended = true;
    stopPings();
    onEnd(outcome, error);
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      stopPings = clock.every(pingEvery, () => {
        const waited = controller.desiredSize !== null && controller.desiredSize >= 0;
        if (waited && clock.now() - lastWrite >= pingEvery) write(controller, [{ type: "ping" }]);
      });
    },
    async pull(controller) {
      try {
        const { done, value } = await batches.next();
        if (ended) return;
        if (!done) return write(controller, value);
        controller.close();
        finish("finished");
      } catch (error) {
        if (ended) return;
        controller.enqueue(encoder.encode(toFrame(toErrorBody(error))));
        controller.close();
        finish("failed", error);
      }
    },
    async cancel() {
      finish("left");
      await batches.return(undefined);
    },
  }, { highWaterMark: 0 });

  function write(controller: ReadableStreamDefaultController<Uint8Array>, events: StreamEvent[]): void {
    lastWrite = clock.now();
    controller.enqueue(encoder.encode(events.map(toFrame).join("")));
  }
}

function toFrame(event: { type: string }): string {
  // An upstream's own kind of event may be called anything, but a name has no place for the end of a line.
  return `event: ${event.type.replace(/[\r\n]+/g, " ")}\ndata: ${JSON.stringify(event)}\n\n`;
}
