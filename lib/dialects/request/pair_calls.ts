import type { Message, ToolResultBlock } from "../../anthropic/schema.ts";
import type { LocatedBlock } from "./located_block.ts";

/** A tool call of a conversation and its result. */
export interface PairedCall {
  id: string;
  path: string;
  result: LocatedBlock<ToolResultBlock> | undefined;
}

/** The tool calls of a conversation and their results. */
export interface CallPairs {
  /** Calls by the index of their message. Those with a result come first, in the order of the results. */
  calls: ReadonlyMap<number, readonly PairedCall[]>;
  /** Paths of results that do not directly follow their call, as Anthropic's API requires. */
  late: ReadonlySet<string>;
}

/**
 * Pairs each tool result of a conversation with its call: an earlier one of the same id that has no result yet.
 *
 * Some hosts restart their ids with every answer, so only the latest message with that id counts.
 */
export function pairCalls(messages: readonly Message[]): CallPairs {
  const allCalls: CallInTurn[] = [];
  const answered: CallInTurn[] = [];
  const late = new Set<string>();
  const open = new Map<string, OpenCalls>();
  let turn = 0;
  let hasOtherContent = false;
  messages.forEach(({ role, content }, at) => {
    if (role !== messages[at - 1]?.role) {
      turn++;
      hasOtherContent = false;
    }
    if (typeof content === "string") {
      hasOtherContent = true;
      return;
    }
    content.forEach((block, index) => {
      if (role === "assistant" && block.type === "tool_use") {
        const path = toPath(at, index);
        const call: CallInTurn = { at, id: block.id, path, turn, result: undefined };
        const same = open.get(call.id);
        allCalls.push(call);
        if (same?.at === at) same.calls.push(call);
        else open.set(call.id, { at, calls: [call], answered: 0 });
      } else if (role === "user" && block.type === "tool_result") {
        const same = open.get(block.tool_use_id);
        const call = same?.calls[same.answered];
        if (same === undefined || call === undefined) return;
        const path = toPath(at, index);
        same.answered++;
        call.result = { block, path };
        answered.push(call);
        if (hasOtherContent || turn !== call.turn + 1) late.add(path);
      } else hasOtherContent = true;
    });
  });
  const calls = new Map<number, PairedCall[]>();
  for (const call of [...answered, ...allCalls.filter(({ result }) => result === undefined)]) {
    const same = calls.get(call.at);
    if (same) same.push(call);
    else calls.set(call.at, [call]);
  }
  return { calls, late };
}

function toPath(at: number, index: number): string {
  return `messages.${at}.content.${index}`;
}

/** Calls of one id in the message `at`. The first ones are answered. */
interface OpenCalls {
  at: number;
  calls: CallInTurn[];
  answered: number;
}

interface CallInTurn extends PairedCall {
  at: number;
  /** Number of the call's turn. A turn is a run of messages of one role. */
  turn: number;
}
