import type { ToolContext } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { ResponseBlock, StreamEvent } from "../anthropic/events.ts";
import type { Message, MessagesRequest } from "../anthropic/schema.ts";
import type { Ask } from "../anthropic/ask.ts";
import type { Steps } from "../anthropic/steps.ts";
import { applyToolChanges } from "../anthropic/tool_changes.ts";
import { ApiError, toApiError } from "../base/errors.ts";
import { relay } from "../base/relay.ts";
import { findPendingCalls, idOf, inputOf, listCallIds } from "./history.ts";
import { CombinedMessage } from "./combined_message.ts";
import { type OpenMcpServer, toListings } from "./mcp/mcp_tool.ts";
import { type Plan, planTurns, type ToolAssignment } from "./plan.ts";
import type { ModelResult, ToolRun } from "./server_tool.ts";
import { assignTools, isPassThrough, type ToolHeaders, workspaceToolNames } from "./assign.ts";
import type { TypedToolOptions, UpstreamTools } from "./typed_tools.ts";
import { type ServerToolCall, TurnReader } from "./turn_reader.ts";
import type { LossReport } from "../dialects/loss.ts";

/** Options of {@linkcode runTurns}. */
export interface LoopOptions extends Pick<TypedToolOptions, "loadCallRunner" | "searchMaxUses"> {
  upstream: UpstreamTools;
  loss: LossReport;
  /** Undefined if the operator has not enabled tools. */
  loadToolbox: (() => Promise<Toolbox>) | undefined;
  toolHeaders: ToolHeaders;
  /**
   * Connects to the MCP servers of a request.
   *
   * @throws {ApiError} `invalid_request_error` if one is not valid, or does not answer.
   */
  openMcpServers(request: MessagesRequest, upstream: UpstreamTools): Promise<readonly OpenMcpServer[]>;
  /** True if the message begins with the tool lists of the MCP servers, for the client to send back. */
  listsMcpTools: boolean;
  /** Fires when the client has disconnected, or its request timed out. */
  signal: AbortSignal;
  /** Creates the context that tools run in. `tools` returns the request's gateway tools, once they are assigned. */
  createToolContext(tools: () => readonly string[]): ToolContext;
  /** Milliseconds since 1970. */
  now(): number;
  /** Maximum turns of a message. */
  maxTurns: number;
  /** Records the turns and the runs of tools. */
  steps: Steps;
  /** Returns the first events of a message that begins with tool results, before any model answers. */
  startMessage(request: MessagesRequest): StreamEvent[];
}

/** Options of one turn. */
export interface AskTurnOptions {
  loss: LossReport;
  /** True if nothing was done for the message yet, so that a retry is safe. */
  first: boolean;
}

/** Calls of one turn that run; further calls fail. */
const MAX_CALLS_PER_TURN = 64;

/**
 * Runs turns with the gateway's tools between them, until the model has finished or waits for the client. The client
 * receives one message.
 *
 * After `maxTurns` the message ends with `pause_turn`, and continues when the client sends it back. If a turn also
 * calls client tools, the message ends, and the gateway's calls run when the client sends its results. Once a tool has
 * run, errors are marked as not retryable.
 *
 * Additions and removals of tools in the messages are applied, unless the upstream does that and runs all the tools.
 *
 * Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools
 */
export function runTurns(askForTurn: (turn: AskTurnOptions) => Ask, options: LoopOptions): Ask {
  return (request) =>
    relay(async () => {
      const toolContext = options.createToolContext(() => workspaceToolNames(assignments));
      const changes = applyToolChanges(request);
      const applied = changes?.request ?? request;
      const loss = changes === undefined ? options.loss : options.loss.of(changes.toClientPath);
      const mcpServers = await options.openMcpServers(applied, options.upstream);
      const changed = options.upstream.connectsMcp ? applied : withoutMcpServers(applied);
      const assignments: ToolAssignment[] = assignTools(changed, {
        ...options,
        loss,
        toolContext,
        mcpServers,
        toolbox: await options.loadToolbox?.(),
      });
      const passThrough = isPassThrough(changed, assignments);
      if (passThrough && changed === applied && options.upstream.takesToolChanges) {
        return askForTurn({ loss: options.loss, first: true })(request);
      }
      for (const path of changes?.applied ?? []) options.loss.add(path, "hoisted");
      for (const path of changes?.ignored ?? []) options.loss.add(path, "dropped");
      if (passThrough) return askForTurn({ loss, first: true })(changed);
      const firstBlocks = options.listsMcpTools ? toListings(mcpServers) : [];
      return combineTurns(changed, planTurns(changed, assignments), {
        ...options,
        loss,
        askForTurn,
        firstBlocks,
      });
    });
}

/** Removes the MCP servers: the gateway connects to them, not the upstream. The list also holds their tokens. */
export function withoutMcpServers(request: MessagesRequest): MessagesRequest {
  if (request.mcp_servers === undefined) return request;
  const { mcp_servers: _servers, ...rest } = request;
  return rest;
}

async function* combineTurns(
  request: MessagesRequest,
  plan: Plan,
  { askForTurn, loss, signal, maxTurns, startMessage, firstBlocks, ...options }: LoopOptions & {
    askForTurn: (turn: AskTurnOptions) => Ask;
    firstBlocks: readonly ResponseBlock[];
  },
): AsyncGenerator<StreamEvent[]> {
  const steps = options.steps.next();
  const combined = new CombinedMessage(firstBlocks);
  const modelResults = new Map<string, ModelResult>();
  const callIds = new Set(listCallIds(request.messages));
  // The client may have changed these calls. Calls beyond the limit get no result.
  let calls = findPendingCalls(request.messages, plan.find).slice(0, MAX_CALLS_PER_TURN).flatMap(
    (block): ServerToolCall[] => {
      const tool = plan.find(block);
      return tool === undefined ? [] : [{ tool, id: idOf(block), input: inputOf(block) }];
    },
  );
  let hasRunTools = false;
  let nextTurn = plan.toTurn(combined.content, modelResults);
  if (calls.length > 0) {
    yield startMessage(request).flatMap((event) =>
      event.type === "message_start" ? combined.start(event) : [event]
    );
  }
  try {
    for (let turns = 1;; turns++) {
      hasRunTools ||= calls.length > 0;
      for await (
        const { id, block, modelResult, count } of runCalls(calls, {
          conversation: nextTurn.request.messages,
          steps,
          turn: turns,
        })
      ) {
        if (modelResult !== undefined) modelResults.set(id, modelResult);
        if (count !== undefined) combined.count(count);
        yield combined.addBlock(block);
      }
      if (calls.length > 0) nextTurn = plan.toTurn(combined.content, modelResults);
      const turn = new TurnReader({ tools: plan.tools, combined, citable: nextTurn.citable, callIds });
      const ask = askForTurn({ loss: loss.of(nextTurn.toClientPath), first: turns === 1 && !hasRunTools });
      const { request: turnRequest } = nextTurn;
      for await (const batch of steps.ask(`ask ${turns}`, () => ask(turnRequest))) {
        const events = turn.read(batch);
        if (events.length > 0) yield events;
      }
      combined.addUsage(turn.usage);
      if (turn.end === undefined) {
        throw new ApiError("api_error", "Cannot answer: the upstream ended before the message was complete");
      }
      if (!turn.hasOnlyServerCalls) return yield combined.end(turn.end);
      if (turns >= maxTurns) {
        const delta = { ...turn.end.delta, stop_reason: "pause_turn" };
        return yield combined.end({ ...turn.end, delta });
      }
      calls = turn.calls;
    }
  } catch (error) {
    const disconnected = signal.aborted && !(error instanceof ApiError);
    throw hasRunTools && !disconnected ? toApiError(error).toFinal() : error;
  }
}

/** Runs calls concurrently, each as a step, and yields their results in the order of the calls. */
async function* runCalls(
  calls: readonly ServerToolCall[],
  { conversation, steps, turn }: { conversation: readonly Message[]; steps: Steps; turn: number },
): AsyncGenerator<ToolRun & { id: string }> {
  const runs = calls.map(async (call, nth) => {
    const { tool, id } = call;
    if (nth >= MAX_CALLS_PER_TURN) return { ...tool.tooManyCalls(call), id };
    const result = await steps.run(`tool ${turn} ${nth}`, () => tool.run(call, conversation), {
      // Anthropic's server tools search and fetch. They change nothing.
      repeatable: tool.repeatable ?? tool.kind === "server_tool_use",
      interrupted: () => toInterruptedRun(call),
    });
    return { ...result, id };
  });
  for (const run of runs) run.catch(() => {}); // awaited below, unless one before it ends the turn
  for (const run of runs) yield await run;
}

/** Returns the result of a call that ran when its gateway ended. */
function toInterruptedRun({ id }: ServerToolCall): ToolRun {
  const content = [{ type: "text", text: INTERRUPTED }];
  return { block: { type: "mcp_tool_result", tool_use_id: id, is_error: true, content } };
}

const INTERRUPTED = "Interrupted: the gateway ended while this call ran, and did not run it again. " +
  "It may have taken effect in whole, in part, or not at all. Check that before you repeat it.";
