import type { CreateEngine } from "../durable/engine.ts";
import { createRecordedSteps } from "../durable/recorded_steps.ts";
import type { Stores } from "../durable/stores.ts";
import { withTimeout } from "../runtime/timeout.ts";
import { startBatchRunner } from "./batches/batch_runner.ts";
import type { GatewayContext } from "./context.ts";
import { createKeptAnswers } from "./idempotency/kept_answers.ts";
import { startFileSweep } from "./files/sweep_files.ts";
import { doJob } from "./jobs/do_job.ts";

/** The work of a gateway that outlives its requests. A change of the settings leaves it as it is. */
export interface DurableWork {
  /** The parts of the gateway that work with the stores. */
  services:
    & Required<Pick<GatewayContext, "keptAnswers" | "batches" | "files" | "startSteps" | "dataDir">>
    & Pick<GatewayContext, "engine">;
  /** Settles when the stores can be used. @throws {ConfigError} if they cannot. */
  ready(): Promise<void>;
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
  /** Creates the engine that does the work; without it, each gateway does its own. */
  createEngine: CreateEngine | undefined;
  /** Requests of batches that run at the same time. */
  concurrency: number;
  /** Returns the gateway with the settings in force. */
  gateway(): GatewayContext;
  /** Returns the names of the keys in force. */
  clients(): Promise<ReadonlySet<string>>;
}

/**
 * Starts the batches, files, recorded steps and lasting answers of a gateway. Continues the batches that are not
 * finished.
 */
export function startDurable(
  { answers, batches, files, contents, queue, steps, usage, check, ready, close }: Stores,
  { shared, createEngine, ...options }: DurableOptions,
): DurableWork {
  const { clock, shutdown } = shared;
  const engine = createEngine?.((job, signal) =>
    doJob(job, { gateway: options.gateway(), stores: { answers, queue }, signal })
  );
  const keptAnswers = createKeptAnswers({ clock, shutdown, store: answers, engine });
  const runner = startBatchRunner({ ...shared, ...options, queue, engine });
  const stopFileSweep = startFileSweep(files, contents, clock);
  return {
    services: {
      keptAnswers,
      batches: { store: batches, usage, runner },
      files: { store: files, contents, usage },
      engine,
      dataDir: check,
      startSteps: (run) => createRecordedSteps(steps, run),
    },
    async ready() {
      await ready();
      await engine?.ready();
    },
    stop() {
      runner.stop();
      stopFileSweep();
    },
    async close() {
      engine?.close();
      await withTimeout(clock, SAVE_TIMEOUT_MS, Promise.all([runner.idle(), keptAnswers.idle()]));
      await close();
    },
  };
}
