import type { RecordedFailure } from "./failure.ts";

/** Work that another gateway continues if the one that does it ends. It names rows of the store only. */
export type Job =
  /** An answer under an idempotency key, claimed for the given time. */
  | { kind: "answer"; id: string; round: number }
  /** An attempt at a request of a batch. */
  | { kind: "item"; batch: number; id: string; nth: number; attempts: number };

/** What became of a job. Its result is in the store. */
export interface JobOutcome {
  /** The failure before an answer began. */
  failure?: RecordedFailure;
}

/**
 * Does a job in this gateway. May be called for one job several times, also by several gateways: finished steps are not
 * repeated. It throws if another gateway must continue. `signal` is aborted when the engine no longer waits for it.
 */
export type DoJob = (job: Job, signal: AbortSignal) => Promise<JobOutcome>;

/** A durable execution engine. It calls {@linkcode DoJob} in any gateway, again until it has settled. */
export interface Engine {
  /**
   * Starts a job, or joins it if it was started, and settles with its outcome.
   *
   * @throws {EngineError} if the engine has given the job up.
   * @throws {ApiError} `overloaded_error` if the engine cannot be reached.
   */
  run(job: Job): Promise<JobOutcome>;
  /** Answers a request of the engine to this gateway. An engine within the process makes none. */
  answer?(request: Request): Promise<Response>;
  /** Settles when the engine can be used. @throws {ConfigError} if it cannot, in this runtime. */
  ready(): Promise<void>;
  /** Stops waiting for jobs, which continue. */
  close(): void;
}

/** Creates an engine whose jobs are done by `doJob`. */
export type CreateEngine = (doJob: DoJob) => Engine;

/** A job that the engine does not do, now or later. */
export class EngineError extends Error {
  override name = "EngineError";
}

/** Identifies a job, also among those of earlier databases. A later round or attempt is another job. */
export function toJobId(job: Job): string {
  return job.kind === "answer" ? `${job.id}-${job.round}` : `${job.id}-${job.nth}-${job.attempts}`;
}
