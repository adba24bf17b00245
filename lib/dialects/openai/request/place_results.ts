import type { Message, ToolResultBlock } from "../../../anthropic/schema.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import { cacheControlOf, type ChatContext, type ChatMessage, type ChatPart } from "../chat.ts";
import type { LocatedBlock } from "../../request/located_block.ts";
import { MISSING_RESULT_TEXT, orphanResultNote } from "../../request/notes.ts";
import { type CallPairs, pairCalls } from "../../request/pair_calls.ts";
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
  readonly #hoisted = new Map<string, ChatPart[]>();

  constructor(messages: readonly Message[], context: ChatContext) {
    this.#context = context;
    this.#pairs = pairCalls(messages);
  }

  /** Returns the results of the calls in the message with this index. */
  resultMessages(at: number): ChatMessage[] {
    const { loss } = this.#context;
    return (this.#pairs.calls.get(at) ?? []).map(({ id, path, result }): ChatMessage => {
      if (result === undefined) {
        loss.add(path, "repaired");
        return {
          role: "tool",
          tool_call_id: toUpstreamToolId(id, this.#context.features.callIds),
          content: MISSING_RESULT_TEXT,
        };
      }
      // A path is reported once. `repaired` comes first, as it matters more than `hoisted`.
      if (this.#pairs.late.has(result.path)) loss.add(result.path, "repaired");
      const { message, hoisted } = toToolMessage(result, this.#context);
      this.#hoisted.set(result.path, hoisted);
      return message;
    });
  }

  /** Returns what stays in the user's message: the attachments of a result, or all of a result without a call. */
  remainderOf({ block, path }: LocatedBlock): ChatPart[] {
    if (block.type !== "tool_result") return [];
    return this.#hoisted.get(path) ?? orphanParts({ block, path }, this.#context);
  }
}

function orphanParts({ block, path }: LocatedBlock<ToolResultBlock>, context: ChatContext): ChatPart[] {
  const { features, loss } = context;
  const text = orphanResultNote(block);
  loss.add(path, "repaired");
  if (block.cache_control && !features.cacheControl) loss.add(`${path}.cache_control`, "dropped");
  return [{ type: "text", text, ...cacheControlOf(block, context) }, ...toResultParts(block, path, context)];
}
