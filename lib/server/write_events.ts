import type { StreamEvent } from "../anthropic/events.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ErrorBody } from "../base/errors.ts";

/** Outcome of an answer: complete, failed, or left by the client. */
export type Outcome = "finished" | "failed" | "left";

/** Options of {@linkcode writeEvents}. */
export interface WriteOptions {
  clock: Clock;
  /** Aborts when the client disconnects. Some servers only abort this signal and do not cancel the body. */
  client: AbortSignal;
  /** Silence after which a `ping` is sent, in milliseconds. */
  pingIntervalMs: number;
  /** Converts a failure to the `error` event. */
  toErrorBody(error: unknown): ErrorBody;
  /** Called once, when the stream has ended. */
  onEnd(outcome: Outcome, error?: unknown): void;
}

/**
 * Writes events as the body of a `text/event-stream`.
 *
 * Events are read only when the client reads. During silence, `ping` events are sent. A failure is sent as
 * `event: error`, which ends the stream. If the client disconnects, `onEnd` is called before the events are cancelled.
 */
export function writeEvents(
  batches: AsyncGenerator<StreamEvent[]>,
  { clock, client, pingIntervalMs, toErrorBody, onEnd }: WriteOptions,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let lastWrite = clock.now();
  let waiting = false;
  let ended = false;
  let pingsEnded = false;
  let cancelPing = () => {};
  let removeListeners = () => {};
  const finish = (outcome: Outcome, error?: unknown) => {
    if (ended) return;
    ended = true;
    removeListeners();
    onEnd(outcome, error);
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const ping = () => {
        const silenceMs = clock.now() - lastWrite;
        const writable = controller.desiredSize !== null && controller.desiredSize >= 0;
        if (silenceMs < pingIntervalMs) return schedulePing(pingIntervalMs - silenceMs);
        if (waiting && writable) write(controller, [{ type: "ping" }]);
        schedulePing(pingIntervalMs);
      };
      const schedulePing = (ms: number) => {
        if (!pingsEnded) cancelPing = clock.after(ms, ping);
      };
      const onClientAbort = () => {
        controller.close();
        finish("left");
        void batches.return(undefined).catch(() => {});
      };
      schedulePing(pingIntervalMs);
      removeListeners = () => {
        stopPings();
        client.removeEventListener("abort", onClientAbort);
      };
      client.addEventListener("abort", onClientAbort, { once: true });
      if (client.aborted) onClientAbort();
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

  function stopPings(): void {
    pingsEnded = true;
    cancelPing();
  }

  function write(controller: ReadableStreamDefaultController<Uint8Array>, events: StreamEvent[]): void {
    lastWrite = clock.now();
    controller.enqueue(encoder.encode(events.map(toFrame).join("")));
    // The connection may stay open for a while after `message_stop`, but no event follows it.
    if (events.at(-1)?.type === "message_stop") stopPings();
  }
}

function toFrame(event: { type: string }): string {
  // An upstream may name its events freely, but a line break in a name would corrupt the stream.
  return `event: ${event.type.replace(/[\r\n]+/g, " ")}\ndata: ${JSON.stringify(event)}\n\n`;
}
