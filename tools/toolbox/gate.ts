import { RateError } from "../errors.ts";
import type { Clock } from "../clock.ts";

/** Limits of a gate. */
export interface GateOptions {
  /** Maximum number of concurrent calls of all clients together. Further calls wait in a queue. */
  concurrency: number;
  /** Maximum number of calls of one client per minute. 0 means no limit. */
  callsPerMinute: number;
  clock: Clock;
}

/** Rate and concurrency limits of calls. */
export interface Gate {
  /**
   * Counts a call of a client.
   *
   * @throws {RateError} if the client has reached its calls per minute.
   */
  countCall(client: string): void;
  /**
   * Waits for a free slot. The returned function releases it.
   *
   * @throws the reason of the signal, if it is aborted.
   */
  acquire(signal: AbortSignal): Promise<() => void>;
}

const MINUTE_MS = 60_000;

/** Creates a gate with all slots free. */
export function createGate({ concurrency, callsPerMinute, clock }: GateOptions): Gate {
  const callTimes = new Map<string, number[]>();
  const queue = new Set<() => void>();
  let running = 0;

  const release = () => {
    const [next] = queue;
    if (next === undefined) running--;
    else next();
  };

  return {
    countCall(client) {
      if (callsPerMinute === 0) return;
      const recent = (callTimes.get(client) ?? []).filter((at) => clock.now() - at < MINUTE_MS);
      callTimes.set(client, recent);
      const [first] = recent;
      if (first !== undefined && recent.length >= callsPerMinute) {
        const waitSeconds = Math.ceil((first + MINUTE_MS - clock.now()) / 1000);
        throw new RateError(
          `Cannot run more than ${callsPerMinute} tools a minute: try again in ${waitSeconds} s`,
        );
      }
      recent.push(clock.now());
    },
    async acquire(signal) {
      signal.throwIfAborted();
      if (running < concurrency) running++;
      else await waitForSlot(queue, signal);
      return once(release);
    },
  };
}

function waitForSlot(queue: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const resume = () => {
      queue.delete(resume);
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    const onAbort = () => {
      queue.delete(resume);
      reject(signal.reason);
    };
    queue.add(resume);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}
