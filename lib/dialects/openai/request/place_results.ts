import type { Message, ToolResultBlock } from "../../../anthropic/schema.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import {
  cacheControlOf,
  type ChatContext,
  type ChatMessage,
  type ChatPart,
  type LocatedBlock,
} from "../chat.ts";
import { type CallPairs, pairCalls } from "./pair_calls.ts";
import { toResultParts, toToolMessages } from "./tool_results.ts";

/**
 * Brings the results of tool calls to where hosts of chat completions insist on them: each call answered once, right
 * after it was made.
 *
 * A conversation that lacks that was interrupted, edited or pieced together, and no turn of it would ever succeed
 * again. So it is repaired: a result is brought to its call, a missing one is given as an error that says so, and
 * one that answers no call is told as the user's words.
 */
export class ResultPlacer {
  readonly #context: ChatContext;
  readonly #pairs: CallPairs;
  readonly #hoisted = new Map<string, ChatPart[]>();

  constructor(messages: readonly Message[], context: ChatContext) {
    this.#context = context;
    this.#pairs = pairCalls(messages);
  }

  /** Gives the messages that answer the calls of the assistant's message with this number. */
  resultMessages(at: number): ChatMessage[] {
    const { loss } = this.#context;
    return (this.#pairs.calls.get(at) ?? []).flatMap(({ id, path, result }): ChatMessage[] => {
      if (result === undefined) {
        loss.add(path, "repaired");
        return [{
          role: "tool",
          tool_call_id: toUpstreamToolId(id, this.#context.features.callIds),
          content: MISSING_RESULT_TEXT,
        }];
      }
      // A path is reported once: that the result was brought to its call says more than that its pictures were not.
      if (this.#pairs.late.has(result.path)) loss.add(result.path, "repaired");
      const { messages, hoisted } = toToolMessages([result], this.#context);
      this.#hoisted.set(result.path, hoisted);
      return messages;
    });
  }

  /** Gives what a result leaves where it stood: its attachments, or all of it where it answers no call. */
  remainderOf({ block, path }: LocatedBlock): ChatPart[] {
    if (block.type !== "tool_result") return [];
    return this.#hoisted.get(path) ?? orphanParts({ block, path }, this.#context);
  }
}

const MISSING_RESULT_TEXT = "Error: no result was given for this tool call";

function orphanParts({ block, path }: LocatedBlock<ToolResultBlock>, context: ChatContext): ChatPart[] {
  const { features, loss } = context;
  const label = block.is_error ? "The error" : "The result";
  const text = `[${label} of a tool call that is not part of this conversation (${block.tool_use_id})]`;
  loss.add(path, "repaired");
  if (block.cache_control && !features.cacheControl) loss.add(`${path}.cache_control`, "dropped");
  return [{ type: "text", text, ...cacheControlOf(block, context) }, ...toResultParts(block, path, context)];
}
