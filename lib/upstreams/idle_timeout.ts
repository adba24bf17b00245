import type { Clock } from "../runtime/clock.ts";
import { ApiError } from "../base/errors.ts";

/** Measures the waits for an upstream's data. Only they count as silence, so a slow client causes no timeout. */
export interface Waits {
  /** A wait begins. */
  begin(): void;
  /** The wait has ended: with data, the end of the data, or a failure, which is no answer. */
  end(how: { answered: boolean }): void;
}

/** Aborts one upstream request if the upstream is silent for too long. */
export interface IdleTimer {
  /**
   * Aborted when the client's request is aborted, or by a timeout. The reason of a timeout is an {@linkcode ApiError}.
   */
  readonly signal: AbortSignal;
  /** Receives the waits for data. */
  readonly waits: Waits;
  /** True while data is awaited. It stays true if that fails: the upstream may then still be at work. */
  readonly waiting: boolean;
  /**
   * Switches from `firstByteMs` to `idleMs`, when the answer has begun. From then on, only events end a silence: bytes
   * that are no event keep a connection open, but are no sign of the answer.
   */
  markStarted(): void;
  /** Ends a silence, because an event has arrived. */
  markEvent(): void;
  /** Ends the timer, and stops listening for the end of the client's request. */
  stop(): void;
}

/** Maximum silence of an upstream, in milliseconds; 0 means no limit. */
export interface Timeouts {
  clock: Clock;
  /** Before its answer begins. Some models think for minutes. */
  firstByteMs: number;
  /** Within its answer. */
  idleMs: number;
}

/** Returns the timeouts of the settings. */
export function timeoutsFrom(
  { clock, config }: { clock: Clock; config: { firstByteTimeout: number; idleTimeout: number } },
): Timeouts {
  return { clock, firstByteMs: config.firstByteTimeout * 1000, idleMs: config.idleTimeout * 1000 };
}

/** Starts an idle timer for one upstream request. `requestSignal` aborts with the client's request. */
export function startIdleTimer(
  requestSignal: AbortSignal,
  upstream: { name: string },
  timeouts: Timeouts,
): IdleTimer {
  return new UpstreamTimer(requestSignal, upstream, timeouts);
}

/**
 * True if a request was aborted while its data was awaited: it may still be running upstream, and be billed.
 */
export function isAbandoned({ signal, waiting }: IdleTimer): boolean {
  return signal.aborted && waiting;
}

class UpstreamTimer implements IdleTimer, Waits {
  readonly #requestSignal: AbortSignal;
  readonly #upstream: { name: string };
  readonly #timeouts: Timeouts;
  readonly #controller = new AbortController();
  readonly #onRequestAbort = (): void => this.#controller.abort(this.#requestSignal.reason);
  #timeoutMs: number;
  #started = false;
  /** Time spent waiting since the last event, before the present wait. */
  #silentMs = 0;
  /** Start of the present wait; undefined while nothing is awaited. */
  #waitingSince: number | undefined;
  #waiting = false;
  /** One timer serves many waits: it fires when the first of them could be too long, and is then set again. */
  #cancelTimer: (() => void) | undefined;

  constructor(requestSignal: AbortSignal, upstream: { name: string }, timeouts: Timeouts) {
    this.#requestSignal = requestSignal;
    this.#upstream = upstream;
    this.#timeouts = timeouts;
    this.#timeoutMs = timeouts.firstByteMs;
    requestSignal.addEventListener("abort", this.#onRequestAbort, { once: true });
    if (requestSignal.aborted) this.#onRequestAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get waits(): Waits {
    return this;
  }

  get waiting(): boolean {
    return this.#waiting;
  }

  begin(): void {
    this.#waitingSince = this.#timeouts.clock.now();
    this.#waiting = true;
    if (this.#cancelTimer === undefined && this.#timeoutMs > 0) {
      this.#setTimer(this.#timeoutMs - this.#silentMs);
    }
  }

  end({ answered }: { answered: boolean }): void {
    if (answered) this.#waiting = false;
    if (this.#started && this.#waitingSince !== undefined) {
      this.#silentMs += this.#timeouts.clock.now() - this.#waitingSince;
    }
    this.#waitingSince = undefined;
  }

  markStarted(): void {
    this.#silentMs = 0;
    if (this.#started) return;
    this.#started = true;
    this.#timeoutMs = this.#timeouts.idleMs;
    this.#removeTimer();
  }

  markEvent(): void {
    this.#silentMs = 0;
  }

  stop(): void {
    this.#removeTimer();
    this.#requestSignal.removeEventListener("abort", this.#onRequestAbort);
  }

  #setTimer(ms: number): void {
    this.#cancelTimer = this.#timeouts.clock.after(Math.max(0, ms), () => this.#onTimer());
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    if (this.#waitingSince === undefined) return;
    const leftMs = this.#timeoutMs - this.#silentMs - (this.#timeouts.clock.now() - this.#waitingSince);
    if (leftMs > 0) this.#setTimer(leftMs);
    else this.#controller.abort(idleTimeoutError(this.#upstream, this.#timeoutMs));
  }

  #removeTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}

function idleTimeoutError({ name }: { name: string }, ms: number): ApiError {
  return new ApiError(
    "timeout_error",
    `Cannot get an answer from upstream "${name}": it sent nothing for ${ms / 1000} s`,
  );
}
