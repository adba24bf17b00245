import { type IdleTimer, startIdleTimer, type Timeouts } from "../upstreams/idle_timeout.ts";
import type { ReadOptions } from "../upstreams/read_body.ts";
import type { Upstream } from "../upstreams/upstream.ts";

/** What limits a request to an upstream in time. */
export interface TimedOptions {
  /** Ends the request. */
  signal: AbortSignal;
  upstream: Upstream;
  timeouts: Timeouts;
  /** Called if the request is aborted before its response: it may still be running upstream, and be billed. */
  onAbort(): void;
}

/**
 * Sends a request under an idle timer, which goes on with the answer and which the caller stops.
 *
 * @throws whatever `send` throws; the timer is stopped then.
 */
export async function sendTimed(
  { signal, upstream, timeouts, onAbort }: TimedOptions,
  send: (readOptions: ReadOptions) => Promise<Response>,
): Promise<{ response: Response; idleTimer: IdleTimer }> {
  const idleTimer = startIdleTimer(signal, upstream, timeouts);
  try {
    return { response: await send({ signal: idleTimer.signal, race: idleTimer.race }), idleTimer };
  } catch (error) {
    idleTimer.stop();
    if (idleTimer.signal.aborted && idleTimer.waiting) onAbort();
    throw error;
  }
}
