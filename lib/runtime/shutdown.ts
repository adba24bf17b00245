import type { Clock } from "./clock.ts";
import { ApiError } from "../base/errors.ts";

/** Time for clients to read the last event of aborted answers, in milliseconds. */
const FINAL_READ_MS = 1000;

/** Graceful shutdown of a gateway: open requests may finish until a deadline, then they are aborted. */
export interface Shutdown {
  /** True once the shutdown has started: new requests are rejected. */
  readonly started: boolean;
  /** Counts a request as open until the returned function is called. */
  track(): () => void;
  /** Calls `listener` at the deadline, or now if that has passed. The returned function removes the listener. */
  onDeadline(listener: (reason: ApiError) => void): () => void;
  /** Starts the shutdown. Settles when no request is open, at the latest 1 s after the deadline. */
  start(): Promise<void>;
}

/** Creates a shutdown, not yet started. Open requests have `ms` milliseconds to finish; 0 is no limit. */
export function createShutdown(clock: Clock, ms: number): Shutdown {
  let openRequests = 0;
  const listeners = new Set<(reason: ApiError) => void>();
  let deadlineError: ApiError | undefined;
  let closePromise: Promise<void> | undefined;
  let resolveClosed = () => {};

  async function close(): Promise<void> {
    if (openRequests === 0) return;
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
      "Cannot finish the answer: the gateway is shutting down",
    );
    for (const listener of [...listeners]) listener(deadlineError);
  }

  return {
    get started() {
      return closePromise !== undefined;
    },
    track() {
      let isOpen = true;
      openRequests++;
      return () => {
        if (isOpen) openRequests--;
        isOpen = false;
        if (openRequests === 0) resolveClosed();
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
