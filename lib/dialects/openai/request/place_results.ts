import type { ContentBlock, Message, ToolResultBlock } from "../../../anthropic/schema.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import { append } from "./append.ts";
import { type ChatContext, type ChatMessage, type ChatPart, toTextPart } from "../chat.ts";
import { type ContentOfMessage, locateBlock, type LocatedBlock } from "../../request/located_block.ts";
import { MISSING_RESULT_TEXT, orphanResultNote } from "../../request/notes.ts";
import { type CallPairs, pairCalls, type PairedCall, type PairedResult } from "../../request/pair_calls.ts";
import { toResultParts, toToolMessage } from "./tool_results.ts";

/**
 * Places tool results where chat completions require them: one for each call, directly after the call's message.
 *
 * A conversation that was interrupted, edited or merged may violate that, and all its later turns would fail. So it is
 * repaired: a late result moves to its call, a missing result is replaced by an error, and a result without a call
 * becomes text of the user.
 */
export class ResultPlacer {
  readonly #context: ChatContext;
  readonly #pairs: CallPairs;
  /** The attachments of results. */
  readonly #hoisted = new Map<PairedResult, ChatPart[]>();

  constructor(messages: readonly Message[], context: ChatContext) {
    this.#context = context;
    this.#pairs = pairCalls(messages);
  }

  /** Appends the results of the calls in the message with this index. */
  addResults(at: number, messages: ChatMessage[]): void {
    for (const call of this.#pairs.calls.get(at) ?? NONE) messages.push(this.#toMessage(call));
  }

  #toMessage(call: PairedCall): ChatMessage {
    const { id, result } = call;
    const { loss, features } = this.#context;
    if (result === undefined) {
      loss.add(call.path, "repaired");
      const tool_call_id = toUpstreamToolId(id, features.callIds);
      return { role: "tool", tool_call_id, content: MISSING_RESULT_TEXT };
    }
    // A path is reported once. `repaired` comes first, as it matters more than `hoisted`.
    if (result.isLate) loss.add(result.path, "repaired");
    const { message, hoisted } = toToolMessage(result, this.#context);
    if (hoisted !== undefined) this.#hoisted.set(result, hoisted);
    return message;
  }

  /** Returns what stays in a user's message: the attachments of its results, and all of results without a call. */
  remainderOf(content: readonly ContentBlock[], place: ContentOfMessage): ChatPart[] | undefined {
    const paired = this.#pairs.results.get(place.at) ?? NONE;
    let next = 0;
    let parts: ChatPart[] | undefined;
    for (let nth = 0; nth < content.length; nth++) {
      const block = content[nth];
      if (block?.type !== "tool_result") continue;
      const result = paired[next];
      const isPaired = result?.nth === nth;
      if (isPaired) next++;
      const added = isPaired
        ? this.#hoisted.get(result) ?? NONE
        : orphanParts(locateBlock(block, place, nth), this.#context);
      for (const part of added) parts = append(parts, part);
    }
    return parts;
  }
}

const NONE: readonly never[] = [];

function orphanParts(located: LocatedBlock<ToolResultBlock>, context: ChatContext): ChatPart[] {
  const { features, loss } = context;
  const { block, path } = located;
  loss.add(path, "repaired");
  if (block.cache_control && !features.cacheControl) loss.add(`${path}.cache_control`, "dropped");
  return [toTextPart(orphanResultNote(block), block, context), ...toResultParts(located, context)];
}
