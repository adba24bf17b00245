import type { StreamEvent } from "../anthropic/events.ts";
import { toFrame } from "../anthropic/to_frame.ts";
import { type PassingGenerator, toPassing } from "../base/passing_generator.ts";
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
  readonly #batches: PassingGenerator<StreamEvent[]>;
  readonly #options: WriteOptions;
  #sink: BodySink | undefined;
  #lastWrite: number;
  /** True while the client waits for an event. */
  #waiting = false;
  #ended = false;
  #pingsEnded = false;
  #cancelPing = () => {};
  readonly #onClientAbort = (): void => {
    this.#sink?.close();
    this.#finish("left");
    this.#batches.abandon();
  };

  constructor(batches: AsyncGenerator<StreamEvent[]>, options: WriteOptions) {
    this.#batches = toPassing(batches);
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

  write(): boolean {
    if (this.#ended) return true;
    try {
      const read = this.#batches.poll();
      if (read === undefined) return false;
      this.#waiting = false;
      if (!read.done) this.#write(read.value);
      else this.#end("finished");
    } catch (error) {
      this.#sink?.write(toFrame(this.#options.toErrorBody(error)));
      this.#end("failed", error);
      this.#batches.abandon();
    }
    return true;
  }

  ready(): Promise<void> {
    this.#waiting = true;
    return this.#batches.ready();
  }

  async cancel(): Promise<void> {
    this.#finish("left");
    await this.#batches.return();
  }

  #end(outcome: Outcome, error?: unknown): void {
    this.#sink?.close();
    this.#finish(outcome, error);
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
