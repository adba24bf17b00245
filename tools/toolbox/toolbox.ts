import type { ToolCall, ToolContent, ToolResult } from "../call.ts";
import { ToolError } from "../errors.ts";
import type { Clock } from "../clock.ts";
import { createGate } from "./gate.ts";
import { createMeter, type Outcome, type ToolMetrics } from "./metrics.ts";
import type { Models } from "../models.ts";
import { createSessions } from "../session.ts";
import { toToldModels } from "./model_errors.ts";
import type { Host, Tool } from "../tool.ts";

/** Who a call is for, and which models it may ask. */
export interface Scene {
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
  timeout: number;
  /** Calls at once; more wait in line. */
  concurrency: number;
  /** Calls of one client in a minute; 0 is no limit. */
  rate: number;
}

/** What a toolbox is made of. */
export interface ToolboxOptions {
  tools: readonly Tool[];
  toHost(call: Pick<Host, "signal" | "models" | "session">): Host;
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
  run(call: ToolCall, scene: Scene): Promise<ToolResult>;
  /**
   * Does something else with the host as if it were a call of this tool: within the same limits, and with the same
   * record.
   *
   * @throws {ToolError} what could not be done; the signal's reason, once it has fired.
   */
  act<Result>(call: ToolCall, scene: Scene, work: (host: Host) => Promise<Result>): Promise<Result>;
  metrics(): ToolMetrics;
}

/** The most text that a model is given of one result, in characters. */
const MOST_TEXT = 200_000;

/** Creates the toolbox. */
export function createToolbox({ tools, toHost, limits, clock, audit }: ToolboxOptions): Toolbox {
  const known = new Map(tools.map((tool) => [tool.name, tool]));
  const gate = createGate({ ...limits, clock });
  // Those that run others stand in a line of their own: in one line they would wait for places that they hold.
  const nestedGate = createGate({ ...limits, rate: 0, clock });
  const meter = createMeter();
  const sessions = createSessions();

  /** A tool that runs others takes no place from them, and has no time limit of theirs. */
  async function act<Result>(
    { name, input }: ToolCall,
    scene: Scene,
    work: (host: Host) => Promise<Result>,
  ): Promise<Result> {
    const { client, conversation, requestId, signal, models } = scene;
    const nested = known.get(name)?.nested ?? false;
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    const digest = digestOf(input);
    let startedAt: number | undefined;
    let leave = () => {};
    let stop = () => {};
    let outcome: Outcome = "ok";
    let bug: unknown;
    try {
      // Before anything is waited for, so that calls are counted and stand in line in their order.
      gate.count(client);
      leave = await (nested ? nestedGate : gate).enter(both);
      await digest;
      startedAt = clock.now();
      meter.begin();
      if (!nested) stop = clock.after(limits.timeout, () => abort.abort(tooLong(name, limits)));
      const host = toHost({
        signal: both,
        models: toToldModels(models),
        session: sessions.of(client, conversation),
      });
      return await untilAborted(work(host), both);
    } catch (error) {
      outcome = toOutcome(error, signal, abort.signal);
      if (outcome !== "bug") throw outcome === "cancelled" ? signal.reason : error;
      bug = error;
      throw new ToolError(`Cannot run ${name}: the gateway failed`);
    } finally {
      stop();
      leave();
      const milliseconds = startedAt === undefined ? undefined : clock.now() - startedAt;
      meter.end(name, outcome, milliseconds);
      const told = { client, requestId, tool: name, digest: await digest };
      const record = { ...told, outcome, milliseconds: milliseconds ?? 0 };
      audit(bug === undefined ? record : { ...record, error: bug });
    }
  }

  return {
    tools,
    limits,
    act,
    metrics: () => meter.read(),
    async run(call, scene) {
      const tool = known.get(call.name);
      try {
        if (tool === undefined) throw new ToolError(`Cannot run ${call.name}: there is no such tool`);
        return {
          content: toSize(await act(call, scene, (host) => tool.run(call.input, host))),
          isError: false,
        };
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        return { content: [{ type: "text", text: error.message }], isError: true };
      }
    },
  };
}

function tooLong(name: string, { timeout }: ToolLimits): ToolError {
  return new ToolError(`Cannot finish ${name}: it took longer than ${timeout / 1000} s`);
}

function toOutcome(error: unknown, client: AbortSignal, time: AbortSignal): Outcome {
  if (client.aborted) return "cancelled";
  if (time.aborted) return "timeout";
  return error instanceof ToolError ? "refused" : "bug";
}

/** Waits for work no longer than the signal allows: whatever does not heed it is not waited for. */
function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}

/** Cuts text that is too long for a model to read, and says so. */
function toSize(content: ToolContent[]): ToolContent[] {
  let left = MOST_TEXT;
  return content.map((piece) => {
    if (piece.type !== "text") return piece;
    const text = piece.text.slice(0, left);
    left -= text.length;
    return text === piece.text
      ? piece
      : { type: "text", text: `${text}\n[${piece.text.length - text.length} characters more are cut]` };
  });
}

async function digestOf(input: unknown): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify(input) ?? "");
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
