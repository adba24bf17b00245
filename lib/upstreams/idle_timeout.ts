import type { Clock } from "../runtime/clock.ts";
import { ApiError } from "../base/errors.ts";

/** Waits for a sign of life, as long as there is patience for it. */
export type Race = <Value>(promise: Promise<Value>) => Promise<Value>;

/** Watches over one question to an upstream: nobody waits for ever for one that has fallen silent. */
export interface IdleTimer {
  /** Fires when the request has ended, or patience has: with an {@linkcode ApiError} then. */
  readonly signal: AbortSignal;
  /** Only what is waited for counts as silence: an upstream that a slow client holds back is not to blame. */
  race: Race;
  /** Whether a sign of life is waited for, or was to the last. */
  readonly waiting: boolean;
  /** Says that the answer has begun. */
  markStarted(): void;
  /** Ends the watch. */
  stop(): void;
}

/** How long an upstream may be silent, in milliseconds; 0 is for ever. */
export interface Timeouts {
  clock: Clock;
  /** Before its answer has begun: some models think for minutes. */
  firstByteMs: number;
  /** From then on. */
  idleMs: number;
}

/** The patience that the settings have with upstreams. */
export function timeoutsFrom(
  { clock, config }: { clock: Clock; config: { firstByteTimeout: number; idleTimeout: number } },
): Timeouts {
  return { clock, firstByteMs: config.firstByteTimeout * 1000, idleMs: config.idleTimeout * 1000 };
}

/** Starts to watch an upstream within a request, whose end is given by `requestSignal`. */
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
  let waiting = false;
  return {
    signal: controller.signal,
    get waiting() {
      return waiting;
    },
    async race(promise) {
      const abort = () => controller.abort(idleTimeoutError(upstream, timeoutMs));
      const cancel = timeoutMs > 0 ? clock.after(timeoutMs, abort) : () => {};
      waiting = true;
      try {
        const value = await promise;
        waiting = false;
        return value;
      } finally {
        cancel();
      }
    },
    markStarted: () => void (timeoutMs = idleMs),
    stop: () => requestSignal.removeEventListener("abort", onRequestAbort),
  };
}

function idleTimeoutError({ name }: { name: string }, ms: number): ApiError {
  return new ApiError(
    "timeout_error",
    `Cannot wait any longer for upstream "${name}": it has said nothing for ${ms / 1000} s`,
  );
}
