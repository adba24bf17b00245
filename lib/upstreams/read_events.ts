import { createParser } from "eventsource-parser";
import type { StreamEvent } from "../anthropic/events.ts";
import { readBytes, type ReadOptions } from "./read_body.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ServerSentEvent } from "../dialects/mod.ts";
import { ApiError, type ErrorBody } from "../base/errors.ts";

/** The largest event an upstream may send, in characters. */
const MAX_EVENT = 16 * 1024 * 1024;

/**
 * Reads the events of a stream, in batches: all that one read of the network brought.
 *
 * A bare line `error: …`, which llama.cpp sends outside of any event, counts as an event of that name.
 *
 * @throws {ApiError} `api_error` if one event grows past 16 MiB; the signal's reason, once it has fired.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  options: ReadOptions,
): AsyncGenerator<ServerSentEvent[]> {
  let batch: ServerSentEvent[] = [];
  const parser = createParser({
    maxBufferSize: MAX_EVENT,
    onEvent: (event) => batch.push(event),
    onError(error) {
      if (error.type === "max-buffer-size-exceeded") {
        throw new ApiError("api_error", "Cannot read the upstream's stream: an event is larger than 16 MiB", {
          status: 502,
        });
      }
      if (error.field === "error") batch.push({ event: "error", data: error.value ?? "" });
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of readBytes(body, options)) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    if (batch.length > 0) yield batch;
    batch = [];
  }
  // Some upstreams leave out the blank line that ends the last event.
  parser.feed(`${decoder.decode()}\n\n`);
  if (batch.length > 0) yield batch;
}

/** How an answer ended: said to its end, broken off by a failure, or nobody was there any more to hear it. */
export type Outcome = "finished" | "failed" | "left";

/** What {@linkcode writeEvents} needs to know of its surroundings. */
export interface WriteOptions {
  clock: Clock;
  /** Fires when the client has left: some servers tell it by this alone, and drop the body. */
  client: AbortSignal;
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
  { clock, client, pingEvery, toErrorBody, onEnd }: WriteOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let lastWrite = clock.now();
  let waiting = false;
  let ended = false;
  let stopPings = () => {};
  let letGo = () => {};
  const finish = (outcome: Outcome, error?: unknown) => {
    if (ended) return;
    ended = true;
    letGo();
    onEnd(outcome, error);
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const ping = () => {
        const heard = controller.desiredSize !== null && controller.desiredSize >= 0;
        if (waiting && heard && clock.now() - lastWrite >= pingEvery) write(controller, [{ type: "ping" }]);
      };
      const leave = () => {
        controller.close();
        finish("left");
        void batches.return(undefined).catch(() => {});
      };
      stopPings = clock.every(pingEvery, ping);
      letGo = () => {
        stopPings();
        client.removeEventListener("abort", leave);
      };
      client.addEventListener("abort", leave, { once: true });
      if (client.aborted) leave();
    },
    async pull(controller) {
      waiting = true;
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
        await batches.return(undefined);
      } finally {
        waiting = false;
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
    // The connection may stay open for a while after the last word, but nothing is said after it.
    if (events.at(-1)?.type === "message_stop") stopPings();
  }
}

function toFrame(event: { type: string }): string {
  // An upstream's own kind of event may be called anything, but a name has no place for the end of a line.
  return `event: ${event.type.replace(/[\r\n]+/g, " ")}\ndata: ${JSON.stringify(event)}\n\n`;
}
