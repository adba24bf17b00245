import type { ToolCall, ToolContent, ToolResult } from "../call.ts";
import { ToolError } from "../errors.ts";
import type { Clock } from "../clock.ts";
import { createGate } from "./gate.ts";
import { createMetricsRecorder, type Outcome, type ToolMetrics } from "./metrics.ts";
import type { Models } from "../models.ts";
import { createSessions } from "../session.ts";
import { withToolErrors } from "./model_errors.ts";
import type { Host, Tool } from "../tool.ts";

/** Who a call is for, and which models it may ask. */
export interface ToolContext {
  /** The name of the client's key. */
  client: string;
  /** Tells one conversation of a client from another. */
  conversation: string;
  /** The id of the request that the call belongs to. */
  requestId: string;
  /** Fires when nobody waits for the call any more. */
  signal: AbortSignal;
  models: Models;
}

/** What is kept of a call that was run: never what it said, nor what came of it. */
export interface AuditRecord {
  client: string;
  requestId: string;
  tool: string;
  /** SHA-256 of the input's JSON, in hex. */
  digest: string;
  outcome: Outcome;
  milliseconds: number;
  /** What lies behind a bug. */
  error?: unknown;
}

/** How tools are run. */
export interface ToolLimits {
  /** Milliseconds that a call may take. */
  timeoutMs: number;
  /** Calls at once; more wait in line. */
  concurrency: number;
  /** Calls of one client in a minute; 0 is no limit. */
  callsPerMinute: number;
}

/** What a toolbox is made of. */
export interface ToolboxOptions {
  tools: readonly Tool[];
  hostFor(call: Pick<Host, "signal" | "models" | "session">): Host;
  limits: ToolLimits;
  clock: Clock;
  /** Hears of every call that has ended. */
  audit(record: AuditRecord): void;
}

/** The tools that the gateway runs. */
export interface Toolbox {
  /** What a model can be told of, in the order of the catalogue. */
  readonly tools: readonly Omit<Tool, "run">[];
  readonly limits: ToolLimits;
  /**
   * Runs a call. A failure is a result, for the model to make the best of.
   *
   * @throws the signal's reason, once it has fired.
   */
  run(call: ToolCall, context: ToolContext): Promise<ToolResult>;
  /**
   * Does something else with the host as if it were a call of this tool: within the same limits, and with the same
   * record.
   *
   * @throws {ToolError} what could not be done; the signal's reason, once it has fired.
   */
  runWithHost<Result>(
    call: ToolCall,
    context: ToolContext,
    work: (host: Host) => Promise<Result>,
  ): Promise<Result>;
  metrics(): ToolMetrics;
}

/** The most text that a model is given of one result, in characters. */
const MAX_RESULT_CHARS = 200_000;

/** Creates the toolbox. */
export function createToolbox({ tools, hostFor, limits, clock, audit }: ToolboxOptions): Toolbox {
  const toolsByName = new Map(tools.map((tool) => [tool.name, tool]));
  const gate = createGate({ ...limits, clock });
  // Those that run others stand in a line of their own: in one line they would wait for places that they hold.
  const nestedGate = createGate({ ...limits, callsPerMinute: 0, clock });
  const recorder = createMetricsRecorder();
  const sessions = createSessions();

  /** A tool that runs others takes no place from them, and has no time limit of theirs. */
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
      // Before anything is waited for, so that calls are counted and stand in line in their order.
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

/** Waits for work no longer than the signal allows: whatever does not heed it is not waited for. */
function raceAbort<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Cuts text that is too long for a model to read, and says so. */
function truncateContent(content: ToolContent[]): ToolContent[] {
  let left = MAX_RESULT_CHARS;
  return content.map((piece) => {
    if (piece.type !== "text") return piece;
    const text = piece.text.slice(0, left);
    left -= text.length;
    return text === piece.text
      ? piece
      : { type: "text", text: `${text}\n[${piece.text.length - text.length} characters more are cut]` };
  });
}

async function hashInput(input: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(input) ?? "");
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
