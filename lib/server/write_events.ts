import type { StreamEvent } from "../anthropic/events.ts";
import { type BodySink, type PulledBody, toStream } from "../runtime/http/direct_body.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ErrorBody } from "../base/errors.ts";

/** Outcome of an answer: complete, failed, or left by the client. */
export type Outcome = "finished" | "failed" | "left";

/** Options of {@linkcode EventBody}. */
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

/** Writes events as a stream of bytes: that of {@linkcode EventBody}. */
export function writeEvents(
  batches: AsyncGenerator<StreamEvent[]>,
  options: WriteOptions,
): ReadableStream<Uint8Array> {
  return toStream(new EventBody(batches, options));
}

/**
 * Writes events as the body of a `text/event-stream`.
 *
 * Events are read only when the client reads. During silence, `ping` events are sent. A failure is sent as
 * `event: error`, which ends the stream. If the client disconnects, `onEnd` is called before the events are cancelled.
 */
export class EventBody implements PulledBody {
  readonly #batches: AsyncGenerator<StreamEvent[]>;
  readonly #options: WriteOptions;
  #sink: BodySink | undefined;
  #lastWrite: number;
  #waiting = false;
  #ended = false;
  #pingsEnded = false;
  #cancelPing = () => {};
  readonly #onClientAbort = (): void => {
    this.#sink?.close();
    this.#finish("left");
    void this.#batches.return(undefined).catch(() => {});
  };

  constructor(batches: AsyncGenerator<StreamEvent[]>, options: WriteOptions) {
    this.#batches = batches;
    this.#options = options;
    this.#lastWrite = options.clock.now();
    this.#schedulePing(options.pingIntervalMs);
    options.client.addEventListener("abort", this.#onClientAbort, { once: true });
    if (options.client.aborted) this.#onClientAbort();
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.#ended) sink.close();
  }

  async pull(): Promise<void> {
    if (this.#ended) return;
    this.#waiting = true;
    try {
      const { done, value } = await this.#batches.next();
      if (this.ended) return;
      if (!done) return this.#write(value);
      this.#sink?.close();
      this.#finish("finished");
    } catch (error) {
      if (this.ended) return;
      this.#sink?.write(toFrame(this.#options.toErrorBody(error)));
      this.#sink?.close();
      this.#finish("failed", error);
      await this.#batches.return(undefined);
    } finally {
      this.#waiting = false;
    }
  }

  async cancel(): Promise<void> {
    this.#finish("left");
    await this.#batches.return(undefined);
  }

  #write(events: StreamEvent[]): void {
    this.#lastWrite = this.#options.clock.now();
    let text = "";
    for (const event of events) text += toFrame(event);
    this.#sink?.write(text);
    // The connection may stay open for a while after `message_stop`, but no event follows it.
    if (events.at(-1)?.type === "message_stop") this.#stopPings();
  }

  #ping(): void {
    const { clock, pingIntervalMs } = this.#options;
    const silenceMs = clock.now() - this.#lastWrite;
    if (silenceMs < pingIntervalMs) return this.#schedulePing(pingIntervalMs - silenceMs);
    if (this.#waiting && this.#sink?.writable) this.#write([{ type: "ping" }]);
    this.#schedulePing(pingIntervalMs);
  }

  #schedulePing(ms: number): void {
    if (!this.#pingsEnded) this.#cancelPing = this.#options.clock.after(ms, () => this.#ping());
  }

  #stopPings(): void {
    this.#pingsEnded = true;
    this.#cancelPing();
  }

  #finish(outcome: Outcome, error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopPings();
    this.#options.client.removeEventListener("abort", this.#onClientAbort);
    this.#options.onEnd(outcome, error);
  }
}

/** Names of events that can be written as they are. An upstream may name its events freely. */
const PLAIN_NAME = /^\w+$/;

function toFrame(event: { type: string }): string {
  const { type } = event;
  // A line break in a name would corrupt the stream.
  return `event: ${PLAIN_NAME.test(type) ? type : type.replace(/[\r\n]+/g, " ")}\ndata: ${
    JSON.stringify(event)
  }\n\n`;
}
