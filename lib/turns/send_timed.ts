import { type Patience, startWatch, type Watch } from "../upstreams/idle_timeout.ts";
import type { ReadOptions } from "../upstreams/read_body.ts";
import type { Upstream } from "../upstreams/upstream.ts";

/** What limits a request to an upstream in time. */
export interface TimedOptions {
  /** Ends the request. */
  signal: AbortSignal;
  upstream: Upstream;
  patience: Patience;
  /** Called if the request is aborted before its response: it may still be running upstream, and be billed. */
  onAbort(): void;
}

/**
 * Sends a request under an idle timer, which goes on with the answer and which the caller stops.
 *
 * @throws whatever `send` throws; the timer is stopped then.
 */
export async function sendTimed(
  { signal, upstream, patience, onAbort }: TimedOptions,
  send: (timed: ReadOptions) => Promise<Response>,
): Promise<{ response: Response; watch: Watch }> {
  const watch = startWatch(signal, upstream, patience);
  try {
    return { response: await send({ signal: watch.signal, listen: watch.listen }), watch };
  } catch (error) {
    watch.stop();
    if (watch.signal.aborted && watch.waiting) onAbort();
    throw error;
  }
}
