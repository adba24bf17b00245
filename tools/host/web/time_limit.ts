import { raceAbort } from "../../abort.ts";
import type { Clock } from "../../clock.ts";

/** Calls a function once after a number of milliseconds. The returned function cancels the call. */
export type After = Clock["after"];

/** Uses the runtime's timers. */
export const systemAfter: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** A time limit for some work. */
export interface TimeLimit {
  /** Fires when the limit expires, or when the outer signal fires. */
  readonly signal: AbortSignal;
  /** True if the limit has expired. */
  readonly isExpired: boolean;
  /** Settles like `work`, but rejects as soon as the signal fires, even if `work` ignores the signal. */
  race<T>(work: Promise<T>): Promise<T>;
  /** Cancels the timer. */
  stop(): void;
}

/** Starts a time limit. */
export function startTimeLimit(outer: AbortSignal, { ms, after }: { ms: number; after: After }): TimeLimit {
  const controller = new AbortController();
  const signal = AbortSignal.any([outer, controller.signal]);
  const stop = after(
    ms,
    () => controller.abort(new DOMException("The time limit has expired", "TimeoutError")),
  );
  return {
    signal,
    stop,
    get isExpired() {
      return controller.signal.aborted;
    },
    race: (work) => raceAbort(work, signal),
  };
}
