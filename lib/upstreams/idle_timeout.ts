import type { Clock } from "../runtime/clock.ts";
import { ApiError } from "../base/errors.ts";

/** Awaits a promise of an upstream's data, limited by the idle timeout. */
export type Race = <Value>(promise: Promise<Value>) => Promise<Value>;

/** Aborts one upstream request if the upstream is silent for too long. */
export interface IdleTimer {
  /** Aborted when the client's request is aborted, or by a timeout. The reason of a timeout is an {@linkcode ApiError}. */
  readonly signal: AbortSignal;
  /** Awaits data. Only this time counts as silence, so a slow client causes no timeout. */
  race: Race;
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
  { clock, firstByteMs, idleMs }: Timeouts,
): IdleTimer {
  const controller = new AbortController();
  const onRequestAbort = () => controller.abort(requestSignal.reason);
  requestSignal.addEventListener("abort", onRequestAbort, { once: true });
  if (requestSignal.aborted) onRequestAbort();
  let timeoutMs = firstByteMs;
  let started = false;
  /** Time spent waiting since the last event, before the present wait. */
  let silentMs = 0;
  /** Start of the present wait; undefined while nothing is awaited. */
  let waitingSince: number | undefined;
  let waiting = false;
  // One timer serves many waits: it fires when the first of them could be too long, and is then set again.
  let cancelTimer: (() => void) | undefined;
  const setTimer = (ms: number) => {
    cancelTimer = clock.after(Math.max(0, ms), () => {
      cancelTimer = undefined;
      if (waitingSince === undefined) return;
      const leftMs = timeoutMs - silentMs - (clock.now() - waitingSince);
      if (leftMs > 0) setTimer(leftMs);
      else controller.abort(idleTimeoutError(upstream, timeoutMs));
    });
  };
  const removeTimer = () => {
    cancelTimer?.();
    cancelTimer = undefined;
  };
  const endWait = () => {
    if (started && waitingSince !== undefined) silentMs += clock.now() - waitingSince;
    waitingSince = undefined;
  };
  return {
    signal: controller.signal,
    get waiting() {
      return waiting;
    },
    race(promise) {
      waitingSince = clock.now();
      waiting = true;
      if (cancelTimer === undefined && timeoutMs > 0) setTimer(timeoutMs - silentMs);
      return promise.then((value) => {
        waiting = false;
        endWait();
        return value;
      }, (error) => {
        endWait();
        throw error;
      });
    },
    markStarted() {
      silentMs = 0;
      if (started) return;
      started = true;
      timeoutMs = idleMs;
      removeTimer();
    },
    markEvent: () => void (silentMs = 0),
    stop() {
      removeTimer();
      requestSignal.removeEventListener("abort", onRequestAbort);
    },
  };
}

function idleTimeoutError({ name }: { name: string }, ms: number): ApiError {
  return new ApiError(
    "timeout_error",
    `Cannot get an answer from upstream "${name}": it sent nothing for ${ms / 1000} s`,
  );
}
