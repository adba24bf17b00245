import type { Clock } from "../runtime/clock.ts";
import { ApiError } from "../base/errors.ts";

/** Waits for a sign of life, as long as there is patience for it. */
export type Listen = <Sign>(sign: Promise<Sign>) => Promise<Sign>;

/** Watches over one question to an upstream: nobody waits for ever for one that has fallen silent. */
export interface Watch {
  /** Fires when the request has ended, or patience has: with an {@linkcode ApiError} then. */
  readonly signal: AbortSignal;
  /** Only what is waited for counts as silence: an upstream that a slow client holds back is not to blame. */
  listen: Listen;
  /** Whether a sign of life is waited for, or was to the last. */
  readonly waiting: boolean;
  /** Says that the answer has begun. */
  begin(): void;
  /** Ends the watch. */
  stop(): void;
}

/** How long an upstream may be silent, in milliseconds; 0 is for ever. */
export interface Patience {
  clock: Clock;
  /** Before its answer has begun: some models think for minutes. */
  firstByte: number;
  /** From then on. */
  idle: number;
}

/** The patience that the settings have with upstreams. */
export function toPatience(
  { clock, config }: { clock: Clock; config: { firstByteTimeout: number; idleTimeout: number } },
): Patience {
  return { clock, firstByte: config.firstByteTimeout * 1000, idle: config.idleTimeout * 1000 };
}

/** Starts to watch an upstream within a request, whose end is given by `request`. */
export function startWatch(
  request: AbortSignal,
  upstream: { name: string },
  { clock, firstByte, idle }: Patience,
): Watch {
  const abort = new AbortController();
  const end = () => abort.abort(request.reason);
  request.addEventListener("abort", end, { once: true });
  if (request.aborted) end();
  let patience = firstByte;
  let waiting = false;
  return {
    signal: abort.signal,
    get waiting() {
      return waiting;
    },
    async listen(sign) {
      const giveUp = () => abort.abort(tooSilent(upstream, patience));
      const callOff = patience > 0 ? clock.after(patience, giveUp) : () => {};
      waiting = true;
      try {
        const heard = await sign;
        waiting = false;
        return heard;
      } finally {
        callOff();
      }
    },
    begin: () => void (patience = idle),
    stop: () => request.removeEventListener("abort", end),
  };
}

function tooSilent({ name }: { name: string }, ms: number): ApiError {
  return new ApiError(
    "timeout_error",
    `Cannot wait any longer for upstream "${name}": it has said nothing for ${ms / 1000} s`,
  );
}
