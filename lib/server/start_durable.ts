import { createRecordedSteps } from "../durable/recorded_steps.ts";
import type { Stores } from "../durable/stores.ts";
import { withTimeout } from "../runtime/timeout.ts";
import { startBatchRunner } from "./batches/batch_runner.ts";
import type { GatewayContext } from "./context.ts";
import { createKeptAnswers } from "./idempotency/kept_answers.ts";
import { startFileSweep } from "./files/sweep_files.ts";

/** The work of a gateway that outlives its requests. A change of the settings leaves it as it is. */
export interface DurableWork {
  /** The parts of the gateway that work with the stores. */
  services: Required<Pick<GatewayContext, "keptAnswers" | "batches" | "files" | "startSteps">>;
  /** Starts no further work. */
  stop(): void;
  /** Waits until the results of what has ended are saved, then closes the stores. */
  close(): Promise<void>;
}

/** Time for the results of requests that have ended to be saved, in milliseconds. */
const SAVE_TIMEOUT_MS = 1000;

/** Options of {@linkcode startDurable}. */
export interface DurableOptions {
  shared: Pick<GatewayContext, "clock" | "shutdown" | "newId">;
  /** Requests of batches that run at the same time. */
  concurrency: number;
  /** Returns the gateway with the settings in force. */
  gateway(): GatewayContext;
  /** Returns the names of the keys in force. */
  clients(): Promise<ReadonlySet<string>>;
}

/** Starts the batches, files, recorded steps and lasting answers of a gateway. Continues the batches that are not finished. */
export function startDurable(
  { answers, batches, files, queue, steps, usage, close }: Stores,
  { shared, ...options }: DurableOptions,
): DurableWork {
  const { clock, shutdown } = shared;
  const keptAnswers = createKeptAnswers({ clock, shutdown, store: answers });
  const runner = startBatchRunner({ ...shared, ...options, queue });
  const stopFileSweep = startFileSweep(files, clock);
  return {
    services: {
      keptAnswers,
      batches: { store: batches, usage, runner },
      files: { store: files, usage },
      startSteps: (run) => createRecordedSteps(steps, run),
    },
    stop() {
      runner.stop();
      stopFileSweep();
    },
    async close() {
      await withTimeout(clock, SAVE_TIMEOUT_MS, Promise.all([runner.idle(), keptAnswers.idle()]));
      close();
    },
  };
}
