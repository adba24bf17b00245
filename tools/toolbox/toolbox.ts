import type { ToolCall, ToolContent, ToolResult } from "../call.ts";
import { ToolError } from "../errors.ts";
import type { Clock } from "../clock.ts";
import { createGate } from "./gate.ts";
import { createMetricsRecorder, type Outcome, type ToolMetrics } from "./metrics.ts";
import type { Models } from "../models.ts";
import { createSessions } from "../session.ts";
import { withToolErrors } from "./model_errors.ts";
import type { Host, Tool } from "../tool.ts";

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
}

/** Audit record of a call. It holds neither the input, except as a digest, nor the result. */
export interface AuditRecord {
  client: string;
  requestId: string;
  tool: string;
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

/** Options of {@linkcode createToolbox}. */
export interface ToolboxOptions {
  tools: readonly Tool[];
  hostFor(call: Pick<Host, "signal" | "models" | "session">): Host;
  limits: ToolLimits;
  clock: Clock;
  /** Called with the record of each call that has ended. */
  audit(record: AuditRecord): void;
}

/** The tools that the gateway runs. */
export interface Toolbox {
  /** The tools that can be offered to a model, in the order of the catalogue. */
  readonly tools: readonly Omit<Tool, "run">[];
  readonly limits: ToolLimits;
  /**
   * Runs a call. A failure becomes an error result for the model.
   *
   * @throws the reason of the signal, if it is aborted.
   */
  run(call: ToolCall, context: ToolContext): Promise<ToolResult>;
  /**
   * Runs `work` instead of a tool, with the limits and the audit record of a tool call.
   *
   * @throws {ToolError} if the call fails.
   * @throws the reason of the signal, if it is aborted.
   */
  runWithHost<Result>(
    call: ToolCall,
    context: ToolContext,
    work: (host: Host) => Promise<Result>,
  ): Promise<Result>;
  metrics(): ToolMetrics;
}

/** Maximum characters of text in one result. */
const MAX_RESULT_CHARS = 200_000;

/** Creates a toolbox. */
export function createToolbox({ tools, hostFor, limits, clock, audit }: ToolboxOptions): Toolbox {
  const toolsByName = new Map(tools.map((tool) => [tool.name, tool]));
  const gate = createGate({ ...limits, clock });
  // Nested tools have a separate gate. In a shared one, they could hold every slot that their inner calls wait for.
  const nestedGate = createGate({ ...limits, callsPerMinute: 0, clock });
  const recorder = createMetricsRecorder();
  const sessions = createSessions();

  /** A nested tool takes no slot of the other tools, and has no timeout. */
  async function runWithHost<Result>(
    { name, input }: ToolCall,
    context: ToolContext,
    work: (host: Host) => Promise<Result>,
  ): Promise<Result> {
    const { client, conversation, requestId, signal, models } = context;
    const nested = toolsByName.get(name)?.nested ?? false;
    const timeoutController = new AbortController();
    const callSignal = AbortSignal.any([signal, timeoutController.signal]);
    const digest = hashInput(input);
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
      const host = hostFor({
        signal: callSignal,
        models: withToolErrors(models),
        session: sessions.get(client, conversation),
      });
      return await raceAbort(work(host), callSignal);
    } catch (error) {
      outcome = classifyOutcome(error, signal, timeoutController.signal);
      if (outcome !== "bug") throw outcome === "cancelled" ? signal.reason : error;
      bug = error;
      throw new ToolError(`Cannot run ${name}: the gateway failed`);
    } finally {
      cancelTimeout();
      release();
      const milliseconds = startedAt === undefined ? undefined : clock.now() - startedAt;
      recorder.finish(name, outcome, milliseconds);
      const callInfo = { client, requestId, tool: name, digest: await digest };
      const record = { ...callInfo, outcome, milliseconds: milliseconds ?? 0 };
      audit(bug === undefined ? record : { ...record, error: bug });
    }
  }

  return {
    tools,
    limits,
    runWithHost,
    metrics: () => recorder.snapshot(),
    async run(call, context) {
      const tool = toolsByName.get(call.name);
      try {
        if (tool === undefined) throw new ToolError(`Cannot run ${call.name}: there is no such tool`);
        return {
          content: truncateContent(await runWithHost(call, context, (host) => tool.run(call.input, host))),
          isError: false,
        };
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        return { content: [{ type: "text", text: error.message }], isError: true };
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
  return error instanceof ToolError ? "refused" : "bug";
}

/** Settles as `work` does, but rejects as soon as the signal is aborted, even if `work` ignores the signal. */
function raceAbort<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Truncates the text of a result to the maximum, and appends a note on the number of characters cut. */
function truncateContent(content: ToolContent[]): ToolContent[] {
  let left = MAX_RESULT_CHARS;
  return content.map((piece) => {
    if (piece.type !== "text") return piece;
    const text = piece.text.slice(0, left);
    left -= text.length;
    return text === piece.text
      ? piece
      : { type: "text", text: `${text}\n[${piece.text.length - text.length} more characters cut]` };
  });
}

async function hashInput(input: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(input) ?? "");
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
