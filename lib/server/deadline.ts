import type { Clock } from "../runtime/clock.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
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
  clientSignal: AbortSignal,
  { clock, shutdown }: { clock: Clock; shutdown: Shutdown },
  ms: number,
): Deadline {
  const controller = new AbortController();
  const timeoutError = () =>
    new ApiError("timeout_error", `Cannot finish the answer: it took longer than ${ms / 1000} s`);
  const cancel = ms > 0 ? clock.after(ms, () => controller.abort(timeoutError())) : () => {};
  // The client's own reason may be anything, and is thrown: here it becomes an error.
  const onClientAbort = () => controller.abort(new DOMException("The client has left", "AbortError"));
  clientSignal.addEventListener("abort", onClientAbort, { once: true });
  if (clientSignal.aborted) onClientAbort();
  const removeDeadlineListener = shutdown.onDeadline((reason) => controller.abort(reason));
  return {
    signal: controller.signal,
    stop() {
      cancel();
      removeDeadlineListener();
      clientSignal.removeEventListener("abort", onClientAbort);
      controller.abort(new DOMException("The request has ended", "AbortError"));
    },
  };
}
