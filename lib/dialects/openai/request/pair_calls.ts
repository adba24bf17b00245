import type { Message, ToolResultBlock } from "../../../anthropic/schema.ts";
import type { LocatedBlock } from "../chat.ts";

/** A tool call of a conversation, and the result that answers it. */
export interface PairedCall {
  id: string;
  path: string;
  result: LocatedBlock<ToolResultBlock> | undefined;
}

/** The tool calls of a conversation and their results. */
export interface CallPairs {
  /** By the number of the message that makes them; those with a result first, in the order of the results. */
  calls: ReadonlyMap<number, readonly PairedCall[]>;
  /** Where results stand that are not the first thing said after their call, as Anthropic's API wants them to be. */
  late: ReadonlySet<string>;
}

/**
 * Finds the call that each tool result of a conversation answers: an earlier one of the same id without a result.
 *
 * Some hosts begin to count their ids again with every answer, so the latest message that uses an id is meant.
 */
export function pairCalls(messages: readonly Message[]): CallPairs {
  const allCalls: CallInTurn[] = [];
  const answered: CallInTurn[] = [];
  const late = new Set<string>();
  const open = new Map<string, CallInTurn[]>();
  let turn = 0;
  let hasOtherContent = false;
  for (const [at, { role, content }] of messages.entries()) {
    if (role !== messages[at - 1]?.role) {
      turn++;
      hasOtherContent = false;
    }
    if (typeof content === "string") {
      hasOtherContent = true;
      continue;
    }
    for (const [index, block] of content.entries()) {
      const path = `messages.${at}.content.${index}`;
      if (role === "assistant" && block.type === "tool_use") {
        const call: CallInTurn = { at, id: block.id, path, turn, result: undefined };
        const same = open.get(call.id);
        allCalls.push(call);
        if (same?.[0]?.at === at) same.push(call);
        else open.set(call.id, [call]);
      } else if (role === "user" && block.type === "tool_result") {
        const call = open.get(block.tool_use_id)?.shift();
        if (call === undefined) continue;
        call.result = { block, path };
        answered.push(call);
        if (hasOtherContent || turn !== call.turn + 1) late.add(path);
      } else hasOtherContent = true;
    }
  }
  const calls = new Map<number, PairedCall[]>();
  for (const call of [...answered, ...allCalls.filter(({ result }) => result === undefined)]) {
    const same = calls.get(call.at);
    if (same) same.push(call);
    else calls.set(call.at, [call]);
  }
  return { calls, late };
}

interface CallInTurn extends PairedCall {
  at: number;
  /** Counts the changes of who speaks. */
  turn: number;
}
