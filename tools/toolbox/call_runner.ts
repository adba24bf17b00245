import { raceAbort } from "../abort.ts";
import { ToolError } from "../errors.ts";
import type { ToolCall } from "../call.ts";
import type { Clock } from "../clock.ts";
import { createGate } from "./gate.ts";
import { createMetricsRecorder, type Outcome, type ToolMetrics } from "./metrics.ts";
import type { Models } from "../models.ts";
import { withToolErrors } from "./model_errors.ts";

/** The client, conversation and request of a call, and the models that it can use. */
export interface ToolContext {
  /** The name of the client's key. */
  client: string;
  /** Identifies one conversation of the client. */
  conversation: string;
  /** The id of the request that the call belongs to. */
  requestId: string;
  /** Aborted when the client no longer waits for the call. */
  signal: AbortSignal;
  models: Models;
  /** Called when a call starts, with the tool's name. The returned function is called with the call's outcome. */
  startCall?(tool: string): (outcome: Outcome) => void;
}

/** Audit record of a call. It holds neither the input, except as a digest, nor the result. */
export interface AuditRecord {
  client: string;
  requestId: string;
  tool: string;
  /** Name of the MCP server that has the tool; undefined for a tool of the gateway. */
  server?: string;
  /** SHA-256 of the input's JSON, in hex. */
  digest: string;
  outcome: Outcome;
  milliseconds: number;
  /** The unexpected error, if the outcome is `bug`. */
  error?: unknown;
}

/** Limits on the calls of tools. */
export interface ToolLimits {
  /** Maximum run time of a call, in milliseconds. */
  timeoutMs: number;
  /** Maximum number of concurrent calls. Further calls wait in a queue. */
  concurrency: number;
  /** Maximum number of calls of one client per minute. 0 means no limit. */
  callsPerMinute: number;
}

/** Options of {@linkcode createCallRunner}. */
export interface CallRunnerOptions {
  limits: ToolLimits;
  clock: Clock;
  /** Called with the record of each call that has ended. */
  audit(record: AuditRecord): void;
}

/** What a call runs with: its signal, which also fires at its timeout, and its models. */
export type RunningCall = Pick<ToolContext, "signal" | "models">;

/** Runs calls within one set of limits, with one audit and one set of counters. */
export interface CallRunner {
  readonly limits: ToolLimits;
  /**
   * Runs the work of a call. A `nested` call takes no slot of the others, and has no timeout. A result that `isFailure`
   * accepts is returned, and counts as a failure.
   *
   * @throws {ToolError} if the call fails.
   * @throws the reason of the signal, if it is aborted.
   */
  run<Result>(
    call: ToolCall & { nested?: boolean },
    context: ToolContext,
    work: (running: RunningCall) => Promise<Result>,
    isFailure?: (result: Result) => boolean,
  ): Promise<Result>;
  metrics(): ToolMetrics;
}

/** Creates a runner with all slots free. */
export function createCallRunner({ limits, clock, audit }: CallRunnerOptions): CallRunner {
  const gate = createGate({ ...limits, clock });
  // Nested tools have a separate gate. In a shared one, they could hold every slot that their inner calls wait for.
  const nestedGate = createGate({ ...limits, callsPerMinute: 0, clock });
  const recorder = createMetricsRecorder();
  return {
    limits,
    metrics: () => recorder.snapshot(),
    async run(
      { name, server, input, nested = false },
      { client, requestId, signal, models, startCall },
      work,
      isFailure,
    ) {
      const timeoutController = new AbortController();
      const callSignal = AbortSignal.any([signal, timeoutController.signal]);
      const digest = hashInput(input);
      const label = server === undefined ? name : `${server}/${name}`;
      const endCall = startCall?.(label);
      let startedAt: number | undefined;
      let release = () => {};
      let cancelTimeout = () => {};
      let outcome: Outcome = "ok";
      let bug: unknown;
      try {
        // This comes before the first await, so that calls are counted and queued in their order.
        gate.countCall(client);
        release = await (nested ? nestedGate : gate).acquire(callSignal);
        await digest;
        startedAt = clock.now();
        recorder.start();
        if (!nested) {
          cancelTimeout = clock.after(
            limits.timeoutMs,
            () => timeoutController.abort(timeoutError(name, limits)),
          );
        }
        const working = work({ signal: callSignal, models: withToolErrors(models) });
        const result = await raceAbort(working, callSignal);
        if (isFailure?.(result) === true) outcome = "failed";
        return result;
      } catch (error) {
        outcome = classifyOutcome(error, signal, timeoutController.signal);
        if (outcome !== "bug") throw outcome === "cancelled" ? signal.reason : error;
        bug = error;
        throw new ToolError(`Cannot run ${name}: the gateway failed`);
      } finally {
        cancelTimeout();
        release();
        const milliseconds = startedAt === undefined ? undefined : clock.now() - startedAt;
        recorder.finish(label, outcome, milliseconds);
        endCall?.(outcome);
        const callInfo = {
          client,
          requestId,
          tool: name,
          ...(server !== undefined && { server }),
          digest: await digest,
        };
        const record = { ...callInfo, outcome, milliseconds: milliseconds ?? 0 };
        audit(bug === undefined ? record : { ...record, error: bug });
      }
    },
  };
}

function timeoutError(name: string, { timeoutMs }: ToolLimits): ToolError {
  return new ToolError(`Cannot finish ${name}: it took longer than ${timeoutMs / 1000} s`);
}

function classifyOutcome(error: unknown, client: AbortSignal, time: AbortSignal): Outcome {
  if (client.aborted) return "cancelled";
  if (time.aborted) return "timeout";
  return error instanceof ToolError ? "failed" : "bug";
}

async function hashInput(input: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(input) ?? "");
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
