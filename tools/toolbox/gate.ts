import { ToolError } from "../errors.ts";
import type { Clock } from "../clock.ts";

/** How many calls may run. */
export interface GateOptions {
  /** At once, of all clients together; more wait in line. */
  concurrency: number;
  /** Of one client in a minute; 0 is no limit. */
  rate: number;
  clock: Clock;
}

/** What a call passes before it runs. */
export interface Gate {
  /**
   * Counts a call of a client.
   *
   * @throws {ToolError} if the client has had its calls of this minute.
   */
  count(client: string): void;
  /**
   * Waits for a place, which is given back by the function returned.
   *
   * @throws the signal's reason, once it has fired.
   */
  enter(signal: AbortSignal): Promise<() => void>;
}

const MINUTE = 60_000;

/** Creates a gate that nobody has passed yet. */
export function createGate({ concurrency, rate, clock }: GateOptions): Gate {
  const passed = new Map<string, number[]>();
  const line = new Set<() => void>();
  let running = 0;

  const leave = () => {
    const [next] = line;
    if (next === undefined) running--;
    else next();
  };

  return {
    count(client) {
      if (rate === 0) return;
      const recent = (passed.get(client) ?? []).filter((at) => clock.now() - at < MINUTE);
      passed.set(client, recent);
      const [first] = recent;
      if (first !== undefined && recent.length >= rate) {
        const wait = Math.ceil((first + MINUTE - clock.now()) / 1000);
        throw new ToolError(`Cannot run more than ${rate} tools a minute: try again in ${wait} s`);
      }
      recent.push(clock.now());
    },
    async enter(signal) {
      signal.throwIfAborted();
      if (running < concurrency) running++;
      else await waitInLine(line, signal);
      return once(leave);
    },
  };
}

function waitInLine(line: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const take = () => {
      line.delete(take);
      signal.removeEventListener("abort", giveUp);
      resolve();
    };
    const giveUp = () => {
      line.delete(take);
      reject(signal.reason);
    };
    line.add(take);
    signal.addEventListener("abort", giveUp, { once: true });
  });
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}
