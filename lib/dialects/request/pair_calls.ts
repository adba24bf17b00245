import type { Message, ToolResultBlock } from "../../anthropic/schema.ts";
import type { LocatedBlock, Place } from "./located_block.ts";

/** A tool call of a conversation and its result. */
export interface PairedCall extends Place {
  readonly id: string;
  readonly result: PairedResult | undefined;
}

/** A result whose call is in the conversation. */
export interface PairedResult extends LocatedBlock<ToolResultBlock> {
  /** Index in the content of its message. */
  readonly nth: number;
  /** True if it does not directly follow its call, as Anthropic's API requires. */
  readonly isLate: boolean;
}

/** The tool calls of a conversation and their results. */
export interface CallPairs {
  /** Calls by the index of their message. Those with a result come first, in the order of the results. */
  calls: ReadonlyMap<number, readonly PairedCall[]>;
  /** Results that have a call, by the index of their message, in the order of its content. */
  results: ReadonlyMap<number, readonly PairedResult[]>;
}

/**
 * Pairs each tool result of a conversation with its call: an earlier one of the same id that has no result yet.
 *
 * Some hosts restart their ids with every answer, so only the latest message with that id counts.
 */
export function pairCalls(messages: readonly Message[]): CallPairs {
  const all: Call[] = [];
  const results = new Map<number, Result[]>();
  const calls = new Map<number, Call[]>();
  const open = new Map<string, OpenCalls>();
  let turn = 0;
  let lastRole: string | undefined;
  let hasOtherContent = false;
  for (let at = 0; at < messages.length; at++) {
    const message = messages[at];
    if (message === undefined) continue;
    const { role, content } = message;
    if (role !== lastRole) {
      turn++;
      hasOtherContent = false;
      lastRole = role;
    }
    if (typeof content === "string") {
      hasOtherContent = true;
      continue;
    }
    for (let nth = 0; nth < content.length; nth++) {
      const block = content[nth];
      if (role === "assistant" && block?.type === "tool_use") {
        const call = new Call({ id: block.id, at, nth, turn });
        const same = open.get(call.id);
        all.push(call);
        if (same?.at === at) same.calls.push(call);
        else open.set(call.id, { at, calls: [call], answered: 0 });
      } else if (role === "user" && block?.type === "tool_result") {
        const same = open.get(block.tool_use_id);
        const call = same?.calls[same.answered];
        if (same === undefined || call === undefined) continue;
        same.answered++;
        call.result = new Result(block, { at, nth, isLate: hasOtherContent || turn !== call.turn + 1 });
        addTo(results, at, call.result);
        addTo(calls, call.at, call);
      } else hasOtherContent = true;
    }
  }
  for (const call of all) if (call.result === undefined) addTo(calls, call.at, call);
  return { calls, results };
}

function addTo<Item>(lists: Map<number, Item[]>, at: number, item: Item): void {
  const list = lists.get(at);
  if (list === undefined) lists.set(at, [item]);
  else list.push(item);
}

/** Calls of one id in the message `at`. The first ones are answered. */
interface OpenCalls {
  at: number;
  calls: Call[];
  answered: number;
}

class Call implements PairedCall {
  readonly id: string;
  readonly at: number;
  readonly #nth: number;
  /** Number of the call's turn. A turn is a run of messages of one role. */
  readonly turn: number;
  result: Result | undefined;

  constructor({ id, at, nth, turn }: { id: string; at: number; nth: number; turn: number }) {
    this.id = id;
    this.at = at;
    this.#nth = nth;
    this.turn = turn;
    this.result = undefined;
  }

  get path(): string {
    return `messages.${this.at}.content.${this.#nth}`;
  }
}

class Result implements PairedResult {
  readonly block: ToolResultBlock;
  readonly #at: number;
  readonly nth: number;
  readonly isLate: boolean;

  constructor(block: ToolResultBlock, { at, nth, isLate }: { at: number; nth: number; isLate: boolean }) {
    this.block = block;
    this.#at = at;
    this.nth = nth;
    this.isLate = isLate;
  }

  get path(): string {
    return `messages.${this.#at}.content.${this.nth}`;
  }
}
