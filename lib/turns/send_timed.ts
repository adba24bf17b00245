import { type IdleTimer, startIdleTimer, type Timeouts } from "../upstreams/idle_timeout.ts";
import type { UpstreamResponse } from "../runtime/http/transport.ts";
import type { ReadOptions } from "../upstreams/response/read_body.ts";
import type { Upstream } from "../upstreams/upstream.ts";

/** Options of {@linkcode sendTimed}. */
export interface TimedOptions {
  /** Aborts the request. */
  signal: AbortSignal;
  upstream: Upstream;
  timeouts: Timeouts;
  /** Called if the request is aborted before its response: it may still be running upstream, and be billed. */
  onAbort(): void;
}

/** A response, and the timer that runs while it is read. */
export interface TimedResponse {
  response: UpstreamResponse;
  idleTimer: IdleTimer;
}

/**
 * Sends a request with an idle timer. The timer also covers the answer; the caller must stop it.
 *
 * @throws the error of `send`. The timer is then stopped.
 */
export function sendTimed(
  { signal, upstream, timeouts, onAbort }: TimedOptions,
  send: (readOptions: ReadOptions) => Promise<UpstreamResponse>,
): Promise<TimedResponse> {
  const idleTimer = startIdleTimer(signal, upstream, timeouts);
  return send({ signal: idleTimer.signal, waits: idleTimer.waits }).then(
    (response) => ({ response, idleTimer }),
    (error) => {
      idleTimer.stop();
      if (idleTimer.signal.aborted && idleTimer.waiting) onAbort();
      throw error;
    },
  );
}
