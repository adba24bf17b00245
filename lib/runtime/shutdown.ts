import type { Clock } from "./clock.ts";
import { ApiError } from "../base/errors.ts";

/** How long clients have to read the last words of answers that were ended, in milliseconds. */
const FINAL_READ_MS = 1000;

/** The end of a gateway: it takes nothing new, lets what is open finish for a while, then ends the rest. */
export interface Shutdown {
  /** Whether it has begun. */
  readonly started: boolean;
  /** Counts a request as open until the function returned is called. */
  track(): () => void;
  /** Runs something when what is still open must end, unless it is called off by the function returned. */
  onDeadline(listener: (reason: ApiError) => void): () => void;
  /** Begins it; settles when nothing is open any more, or what is has been ended. */
  start(): Promise<void>;
}

/** Creates the end of a gateway, still to come; open requests then have so many milliseconds, or 0 for ever. */
export function createShutdown(clock: Clock, ms: number): Shutdown {
  const openRequests = new Set<symbol>();
  const listeners = new Set<(reason: ApiError) => void>();
  let deadlineError: ApiError | undefined;
  let closePromise: Promise<void> | undefined;
  let resolveClosed = () => {};

  async function close(): Promise<void> {
    if (openRequests.size === 0) return;
    const timers: (() => void)[] = [];
    await new Promise<void>((resolve) => {
      resolveClosed = resolve;
      if (ms === 0) return;
      timers.push(clock.after(ms, abortAll), clock.after(ms + FINAL_READ_MS, resolve));
    });
    for (const cancel of timers) cancel();
  }

  function abortAll(): void {
    deadlineError = new ApiError(
      "overloaded_error",
      "Cannot finish the answer: the gateway is being stopped",
    );
    for (const listener of [...listeners]) listener(deadlineError);
  }

  return {
    get started() {
      return closePromise !== undefined;
    },
    track() {
      const request = Symbol();
      openRequests.add(request);
      return () => {
        openRequests.delete(request);
        if (openRequests.size === 0) resolveClosed();
      };
    },
    onDeadline(listener) {
      if (deadlineError !== undefined) listener(deadlineError);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start: () => closePromise ??= close(),
  };
}
