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
  gateway: { clock: Clock; shutdown: Pick<Shutdown, "onDeadline"> },
  ms: number,
): Deadline {
  return new RequestDeadline(clientSignal, gateway, ms);
}

class RequestDeadline implements Deadline {
  readonly #controller = new AbortController();
  readonly #clientSignal: AbortSignal;
  readonly #abort = (reason: unknown): void => this.#controller.abort(reason);
  /** The client's reason may be any value. It is replaced by an error because it is thrown. */
  readonly #onClientAbort = (): void =>
    this.#abort(new DOMException("The client disconnected", "AbortError"));
  readonly #removeDeadlineListener: () => void;
  readonly #cancelTimer: (() => void) | undefined;

  constructor(
    clientSignal: AbortSignal,
    { clock, shutdown }: { clock: Clock; shutdown: Pick<Shutdown, "onDeadline"> },
    ms: number,
  ) {
    this.#clientSignal = clientSignal;
    if (ms > 0) this.#cancelTimer = clock.after(ms, () => this.#abort(timeoutError(ms)));
    clientSignal.addEventListener("abort", this.#onClientAbort, { once: true });
    if (clientSignal.aborted) this.#onClientAbort();
    this.#removeDeadlineListener = shutdown.onDeadline(this.#abort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(): void {
    this.#cancelTimer?.();
    this.#removeDeadlineListener();
    this.#clientSignal.removeEventListener("abort", this.#onClientAbort);
    this.#abort(ENDED);
  }
}

function timeoutError(ms: number): ApiError {
  return new ApiError("timeout_error", `Cannot finish the answer: it took longer than ${ms / 1000} s`);
}
