import type { Clock } from "../runtime/clock.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
import { ApiError } from "../base/errors.ts";

/** Time limit of a request. */
export interface Deadline {
  /**
   * Aborts when the request must end. The reason is an {@linkcode ApiError} after the time limit or at the gateway's
   * shutdown, and an `AbortError` after the client's disconnect or `stop()`.
   */
  signal: AbortSignal;
  /** Ends the time limit and aborts the signal, which cancels work that still runs for the request. */
  stop(): void;
}

/** Reason of each request that has ended. Requests share it, because an error takes long to make. */
const ENDED = new DOMException("The request has ended", "AbortError");

/** Starts the time limit of a request, in milliseconds; 0 is no limit. The gateway's shutdown ends the request too. */
export function startDeadline(
  clientSignal: AbortSignal,
  { clock, shutdown }: { clock: Clock; shutdown: Shutdown },
  ms: number,
): Deadline {
  const controller = new AbortController();
  const timeoutError = () =>
    new ApiError("timeout_error", `Cannot finish the answer: it took longer than ${ms / 1000} s`);
  const cancel = ms > 0 ? clock.after(ms, () => controller.abort(timeoutError())) : () => {};
  // The client's reason may be any value. It is replaced by an error because it is thrown.
  const onClientAbort = () => controller.abort(new DOMException("The client disconnected", "AbortError"));
  clientSignal.addEventListener("abort", onClientAbort, { once: true });
  if (clientSignal.aborted) onClientAbort();
  const removeDeadlineListener = shutdown.onDeadline((reason) => controller.abort(reason));
  return {
    signal: controller.signal,
    stop() {
      cancel();
      removeDeadlineListener();
      clientSignal.removeEventListener("abort", onClientAbort);
      controller.abort(ENDED);
    },
  };
}
