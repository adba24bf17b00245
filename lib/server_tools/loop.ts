import type { Scene, Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import type { Message, MessagesRequest } from "../anthropic/schema.ts";
import type { Ask } from "../anthropic/ask.ts";
import { ApiError, toApiError } from "../base/errors.ts";
import { findPending, idOf, inputOf, listCallIds } from "./history.ts";
import { JoinedMessage } from "./joined_message.ts";
import { type Plan, planTurns, type Slot } from "./plan.ts";
import type { Ran, Told } from "./server_tool.ts";
import { isForeign, toSlots, toWorkspaceNames, type Wishes } from "./assign.ts";
import type { UpstreamTools } from "./typed_tools.ts";
import { type Call, TurnReader } from "./turn_reader.ts";
import type { LossReport } from "../dialects/loss.ts";

/** What running tools between the turns has to know. */
export interface LoopOptions {
  upstream: UpstreamTools;
  loss: LossReport;
  /** Missing where the owner has not switched tools on. */
  toolbox: (() => Promise<Toolbox>) | undefined;
  wishes: Wishes;
  /** Fires when the client has left, or its time is over. */
  signal: AbortSignal;
  /** Makes what tools are run in; their names are those of the request's workspace, once it is known. */
  toScene(tools: () => readonly string[]): Scene;
  /** Milliseconds since 1970. */
  now(): number;
  /** How many turns a message may have. */
  maxTurns: number;
  /** Begins a message of which no model has said anything yet. */
  open(request: MessagesRequest): StreamEvent[];
}

/** How a turn is asked for. */
export interface AskedTurn {
  loss: LossReport;
  /** Whether nothing was done for the message yet, so that it may be asked for again. */
  first: boolean;
}

/** How many calls of one turn are run. */
const MOST_CALLS = 64;

/**
 * Asks, runs the tools that are the gateway's to run, and asks again with their results, until the model has said all
 * or waits for the client: the client is told one message.
 *
 * After the most turns it ends with `pause_turn`; sent back, the message goes on. A turn that calls the client's tools
 * too waits for those, and what it wanted of the gateway is run when their results come. Once a tool has run, no
 * failure asks for a repeat. Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools
 */
export function runTurns(toAsk: (turn: AskedTurn) => Ask, options: LoopOptions): Ask {
  return async function* (request) {
    const scene = options.toScene(() => toWorkspaceNames(slots));
    const slots: Slot[] = toSlots(request, { ...options, scene, toolbox: await options.toolbox?.() });
    if (isForeign(request, slots)) {
      return yield* toAsk({ loss: options.loss, first: true })(request);
    }
    yield* joinTurns(request, planTurns(request, slots), { ...options, toAsk });
  };
}

async function* joinTurns(
  request: MessagesRequest,
  plan: Plan,
  { toAsk, loss, signal, maxTurns, open }: LoopOptions & { toAsk: (turn: AskedTurn) => Ask },
): AsyncGenerator<StreamEvent[]> {
  const joined = new JoinedMessage();
  const told = new Map<string, Told>();
  const ids = new Set(listCallIds(request.messages));
  // Who wrote them is not known: of more than a model may make the rest goes without a result.
  let calls = findPending(request.messages, plan.find).slice(0, MOST_CALLS).flatMap((block): Call[] => {
    const tool = plan.find(block);
    return tool === undefined ? [] : [{ tool, id: idOf(block), input: inputOf(block) }];
  });
  let acted = false;
  let asked = plan.toTurn(joined.content, told);
  if (calls.length > 0) {
    yield open(request).flatMap((event) => event.type === "message_start" ? joined.start(event) : [event]);
  }
  try {
    for (let turns = 1;; turns++) {
      acted ||= calls.length > 0;
      for await (const { id, block, told: more, count } of runCalls(calls, asked.request.messages)) {
        if (more !== undefined) told.set(id, more);
        if (count !== undefined) joined.count(count);
        yield joined.whole(block);
      }
      asked = plan.toTurn(joined.content, told);
      const turn = new TurnReader({ tools: plan.tools, joined, citable: asked.citable, ids });
      const ask = toAsk({ loss: loss.of(asked.toClientPath), first: turns === 1 && !acted });
      for await (const batch of ask(asked.request)) {
        const events = turn.read(batch);
        if (events.length > 0) yield events;
      }
      joined.use(turn.usage);
      if (turn.end === undefined) {
        throw new ApiError("api_error", "Cannot answer: the upstream ended before the message did");
      }
      if (!turn.runs) return yield joined.end(turn.end);
      if (turns >= maxTurns) {
        const delta = { ...turn.end.delta, stop_reason: "pause_turn" };
        return yield joined.end({ ...turn.end, delta });
      }
      calls = turn.calls;
    }
  } catch (error) {
    const left = signal.aborted && !(error instanceof ApiError);
    throw acted && !left ? toApiError(error).final() : error;
  }
}

/** Runs calls side by side, and gives what came of them in their order. */
async function* runCalls(
  calls: readonly Call[],
  conversation: readonly Message[],
): AsyncGenerator<Ran & { id: string }> {
  const runs = calls.map(async (call, nth) => {
    const ran = nth < MOST_CALLS ? await call.tool.run(call, conversation) : call.tool.refuse(call);
    return { ...ran, id: call.id };
  });
  for (const run of runs) run.catch(() => {}); // awaited below, unless one before it ends the turn
  for (const run of runs) yield await run;
}
