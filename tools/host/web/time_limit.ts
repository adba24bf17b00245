import type { Clock } from "../../clock.ts";

/** Runs something once after so many milliseconds, unless it is called off by the function returned. */
export type After = Clock["after"];

/** The runtime's own timers. */
export const systemAfter: After = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

/** The time that some work has. */
export interface TimeLimit {
  /** Fires when the time is up, or with the signal that the limit was started with. */
  readonly signal: AbortSignal;
  /** Whether the time is up. */
  readonly isExpired: boolean;
  /** Settles as the work does, but fails as soon as the signal fires, whether or not the work takes notice. */
  race<T>(work: Promise<T>): Promise<T>;
  stop(): void;
}

/** Begins to count the time. */
export function startTimeLimit(outer: AbortSignal, { ms, after }: { ms: number; after: After }): TimeLimit {
  const controller = new AbortController();
  const signal = AbortSignal.any([outer, controller.signal]);
  const stop = after(ms, () => controller.abort(new DOMException("The time is up", "TimeoutError")));
  return {
    signal,
    stop,
    get isExpired() {
      return controller.signal.aborted;
    },
    race(work) {
      return new Promise((resolve, reject) => {
        const fail = () => reject(signal.reason);
        if (signal.aborted) fail();
        signal.addEventListener("abort", fail, { once: true });
        work.then(resolve, reject).finally(() => signal.removeEventListener("abort", fail));
      });
    },
  };
}
