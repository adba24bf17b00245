import type { Clock } from "../runtime/clock.ts";
import type { Closing } from "../runtime/shutdown.ts";
import { ApiError } from "../base/errors.ts";

/** The time that a request has: a signal that fires when it is over, or when the client has left. */
export interface Deadline {
  /** Fires with the reason: an {@linkcode ApiError} when the time is over, anything else when the client has left. */
  signal: AbortSignal;
  /** Ends the request before its time: whatever still runs for it is cancelled. */
  stop(): void;
}

/** Starts the time of a request; 0 milliseconds are no limit. The end of the gateway is its end too. */
export function startDeadline(
  client: AbortSignal,
  { clock, closing }: { clock: Clock; closing: Closing },
  ms: number,
): Deadline {
  const abort = new AbortController();
  const tooLong = () =>
    new ApiError("timeout_error", `Cannot finish the answer: it took longer than ${ms / 1000} s`);
  const callOff = ms > 0 ? clock.after(ms, () => abort.abort(tooLong())) : () => {};
  // The client's own reason may be anything, and is thrown: here it becomes an error.
  const leave = () => abort.abort(new DOMException("The client has left", "AbortError"));
  client.addEventListener("abort", leave, { once: true });
  if (client.aborted) leave();
  const stay = closing.onOver((reason) => abort.abort(reason));
  return {
    signal: abort.signal,
    stop() {
      callOff();
      stay();
      client.removeEventListener("abort", leave);
      abort.abort(new DOMException("The request has ended", "AbortError"));
    },
  };
}
