import type { Clock } from "../runtime/clock.ts";
import type { Shutdown } from "../runtime/shutdown.ts";
import { ApiError } from "../base/errors.ts";

/** Time for an upstream to report the usage of an answer that the client has left, in milliseconds. */
const READ_ON_MS = 10_000;

/** What a message's limits need of its answers. */
export interface Metering {
  /** True if a limit depends on the usage. */
  readonly metered: boolean;
  /** Keeps the message admitted until the returned function is called. */
  hold(): () => void;
}

/** Options of {@linkcode readOn}. */
export interface ReadOnOptions {
  /** The signal of the client's request. */
  signal: AbortSignal;
  clock: Clock;
  shutdown: Pick<Shutdown, "onDeadline">;
  admission: Metering;
}

/**
 * Reads an upstream's answer. If a limit depends on its usage and the client leaves before its end, the rest is read in
 * the background for up to 10 s, at most until the deadline of a shutdown: upstreams report usage last, and a client
 * could otherwise evade its budget. Until then the message stays admitted.
 *
 * `start` receives the signal of the upstream's request. The time limit of the client's request, and a shutdown, abort
 * it at once.
 *
 * @throws the reason of `signal`, once it has fired. If that is before the start, nothing is sent.
 */
export function readOn<Batch>(
  start: (signal: AbortSignal) => AsyncGenerator<Batch>,
  options: ReadOnOptions,
): AsyncGenerator<Batch> {
  options.signal.throwIfAborted();
  return options.admission.metered ? readMetered(start, options) : start(options.signal);
}

async function* readMetered<Batch>(
  start: (signal: AbortSignal) => AsyncGenerator<Batch>,
  { signal, clock, shutdown, admission }: ReadOnOptions,
): AsyncGenerator<Batch> {
  signal.throwIfAborted();
  const upstream = new AbortController();
  const batches = start(upstream.signal);
  let stopWaiting = (_reason: unknown) => {};
  const onAbort = () => {
    if (signal.reason instanceof ApiError) upstream.abort(signal.reason);
    else stopWaiting(signal.reason);
  };
  const next = () =>
    new Promise<IteratorResult<Batch>>((resolve, reject) => {
      stopWaiting = reject;
      batches.next().then(resolve, reject);
      if (signal.aborted) onAbort();
    });
  signal.addEventListener("abort", onAbort, { once: true });
  const release = admission.hold();
  try {
    for (let read = await next(); !read.done; read = await next()) yield read.value;
  } finally {
    signal.removeEventListener("abort", onAbort);
    const stop = () => upstream.abort(new DOMException("No usage came", "AbortError"));
    const cancelTimer = clock.after(READ_ON_MS, stop);
    const removeListener = shutdown.onDeadline(stop);
    void readToEnd(batches).finally(() => {
      cancelTimer();
      removeListener();
      release();
    });
  }
}

/** True if the signal of an upstream's request fired because the client has left. */
export function isLeft({ aborted, reason }: AbortSignal): boolean {
  return aborted && !(reason instanceof ApiError);
}

/** Reads what is left; nothing, after a normal end. */
async function readToEnd(batches: AsyncGenerator<unknown>): Promise<void> {
  try {
    while (!(await batches.next()).done);
  } catch {
    // The client has left and receives no error. The usage of a failed answer is counted where it is read.
  }
}
