import { createRecordedSteps } from "../durable/recorded_steps.ts";
import type { Stores } from "../durable/stores.ts";
import { withTimeout } from "../runtime/timeout.ts";
import { startBatchRunner } from "./batches/batch_runner.ts";
import type { GatewayContext } from "./context.ts";
import { createKeptAnswers } from "./idempotency/kept_answers.ts";
import { startFileSweep } from "./files/sweep_files.ts";

/** The work of a gateway that outlives its requests. */
export interface DurableWork {
  /** Starts no further work. */
  stop(): void;
  /** Waits until the results of what has ended are saved, then closes the stores. */
  close(): Promise<void>;
}

/** Time for the results of requests that have ended to be saved, in milliseconds. */
const SAVE_TIMEOUT_MS = 1000;

/**
 * Adds batches, files, recorded steps and lasting answers to a gateway, and continues the batches that are not finished. `clients` are the
 * names of the gateway's keys.
 */
export function startDurable(
  gateway: GatewayContext,
  stores: Stores,
  { clients }: { clients: ReadonlySet<string> },
): DurableWork {
  const { clock, config, shutdown } = gateway;
  const { answers, batches, files, queue, steps, usage } = stores;
  const keptAnswers = createKeptAnswers({ clock, shutdown, store: answers });
  const runner = startBatchRunner({ gateway, queue, concurrency: config.batchConcurrency, clients });
  const stopFileSweep = startFileSweep(files, clock);
  gateway.keptAnswers = keptAnswers;
  gateway.batches = { store: batches, usage, runner };
  gateway.files = { store: files, usage };
  gateway.startSteps = (run) => createRecordedSteps(steps, run);
  return {
    stop() {
      runner.stop();
      stopFileSweep();
    },
    async close() {
      await withTimeout(clock, SAVE_TIMEOUT_MS, Promise.all([runner.idle(), keptAnswers.idle()]));
      stores.close();
    },
  };
}
