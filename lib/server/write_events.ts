import type { StreamEvent } from "../anthropic/events.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ErrorBody } from "../base/errors.ts";

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
