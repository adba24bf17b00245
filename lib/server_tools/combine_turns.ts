import type { Ask } from "../anthropic/ask.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import type { Message, MessagesRequest } from "../anthropic/schema.ts";
import type { Steps } from "../anthropic/steps.ts";
import { ApiError, toApiError } from "../base/errors.ts";
import type { LossReport } from "../dialects/loss.ts";
import { CombinedMessage } from "./combined_message.ts";
import { type OpenMcpServer, toListings } from "./mcp/mcp_tool.ts";
import { findPendingCalls, idOf, inputOf, listCallIds } from "./history.ts";
import { planTurns, type ToolAssignment } from "./plan.ts";
import type { ModelResult, ToolRun } from "./server_tool.ts";
import { type ServerToolCall, TurnReader } from "./turn_reader.ts";

/** Options of one turn. */
export interface AskTurnOptions {
  loss: LossReport;
  /** True if nothing was done for the message yet, so that a retry is safe. */
  first: boolean;
}

/** Options of {@linkcode combineTurns}. */
export interface CombineOptions {
  loss: LossReport;
  /** Fires when the client has disconnected, or its request timed out. */
  signal: AbortSignal;
  /** Maximum turns of a message. */
  maxTurns: number;
  /** Records the turns and the runs of tools. */
  steps: Steps;
  /** Returns the first events of a message that begins with tool results, before any model answers. */
  startMessage(request: MessagesRequest): StreamEvent[];
  askForTurn: (turn: AskTurnOptions) => Ask;
  /** MCP servers whose tool lists the message begins with. */
  listed: readonly OpenMcpServer[];
}

/** Calls of one turn that run; further calls fail. */
const MAX_CALLS_PER_TURN = 64;

/** Asks turn after turn, runs the calls of the gateway's tools between them, and yields the events of one message. */
export async function* combineTurns(
  request: MessagesRequest,
  assignments: readonly ToolAssignment[],
  { askForTurn, loss, signal, maxTurns, startMessage, listed, ...options }: CombineOptions,
): AsyncGenerator<StreamEvent[]> {
  const plan = planTurns(request, assignments);
  const steps = options.steps.next();
  const combined = new CombinedMessage(toListings(listed));
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
      const ask = askForTurn({ loss: loss.of(nextTurn.toClientPath), first: !hasRunTools });
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
