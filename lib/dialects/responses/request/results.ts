import type { ContentBlock, Message, ToolResultBlock } from "../../../anthropic/schema.ts";
import {
  type ContentOfMessage,
  locateBlock,
  locateBlocks,
  type LocatedBlock,
} from "../../request/located_block.ts";
import {
  attachmentTexts,
  hoistedNote,
  MISSING_RESULT_TEXT,
  orphanResultNote,
  toResultText,
} from "../../request/notes.ts";
import { type CallPairs, pairCalls, type PairedResult } from "../../request/pair_calls.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import { CALL_ID, type InputItem, type InputPart, type ResponsesContext } from "../responses.ts";
import { cacheMark, markLast } from "./cache.ts";
import { toParts } from "./parts.ts";

/**
 * Places tool results where the API requires them: one for each call, after the calls of the turn.
 *
 * A conversation that was interrupted, edited or merged may violate that, and all its later turns would fail. So it is
 * repaired: a late result moves to its call, a missing result is replaced by an error, and a result without a call
 * becomes text of the user.
 */
export class ResultPlacer {
  readonly #context: ResponsesContext;
  readonly #pairs: CallPairs;
  /** The attachments of results. */
  readonly #hoisted = new Map<PairedResult, InputPart[]>();

  constructor(messages: readonly Message[], context: ResponsesContext) {
    this.#context = context;
    this.#pairs = pairCalls(messages);
  }

  /** Returns the results of the calls in the message with this index. */
  resultItems(at: number): InputItem[] {
    const { loss } = this.#context;
    return (this.#pairs.calls.get(at) ?? []).map(({ id, path, result }): InputItem => {
      const call_id = toUpstreamToolId(id, CALL_ID);
      if (result === undefined) {
        loss.add(path, "repaired");
        return { type: "function_call_output", call_id, output: MISSING_RESULT_TEXT };
      }
      if (result.isLate) loss.add(result.path, "repaired");
      return { type: "function_call_output", call_id, output: this.#toOutput(result, call_id) };
    });
  }

  /** Returns what stays in a user's message: the attachments of its results, and all of results without a call. */
  remainderOf(content: readonly ContentBlock[], place: ContentOfMessage): InputPart[] {
    const paired = this.#pairs.results.get(place.at) ?? [];
    let next = 0;
    return content.flatMap((block, nth): readonly InputPart[] => {
      if (block.type !== "tool_result") return [];
      const result = paired[next];
      if (result?.nth !== nth) return this.#orphanParts(locateBlock(block, place, nth));
      next++;
      return this.#hoisted.get(result) ?? [];
    });
  }

  /** Converts a result to plain text, or to parts if it has attachments or is marked for the cache. */
  #toOutput(result: PairedResult, callId: string): string | InputPart[] {
    const context = this.#context;
    const { block, path } = result;
    const parts = markLast(toResultParts(block, path, context), cacheMark(block, path, context));
    const attachments = parts.filter(({ type }) => type !== "input_text");
    const staysHere = context.features.partsInResults;
    const texts = parts.flatMap((part) => part.type === "input_text" ? [part.text] : []);
    if (attachments.length > 0 && !staysHere) {
      texts.push(hoistedNote(attachments.length));
      const { before, after } = attachmentTexts(callId, block);
      const end: InputPart[] = after === undefined ? [] : [{ type: "input_text", text: after }];
      this.#hoisted.set(result, [{ type: "input_text", text: before }, ...attachments, ...end]);
      context.loss.add(path, "hoisted");
    }
    const marked = parts.some(({ prompt_cache_breakpoint }) => prompt_cache_breakpoint);
    if (!staysHere || (attachments.length === 0 && !marked)) return toResultText(texts.join("\n"), block);
    return block.is_error ? [{ type: "input_text", text: toResultText("", block) }, ...parts] : parts;
  }

  #orphanParts({ block, path }: LocatedBlock<ToolResultBlock>): InputPart[] {
    const context = this.#context;
    context.loss.add(path, "repaired");
    const note: InputPart = { type: "input_text", text: orphanResultNote(block) };
    return markLast([note, ...toResultParts(block, path, context)], cacheMark(block, path, context));
  }
}

function toResultParts(block: ToolResultBlock, path: string, context: ResponsesContext): InputPart[] {
  const { content } = block;
  if (typeof content === "string") return content === "" ? [] : [{ type: "input_text", text: content }];
  return content ? toParts(locateBlocks(content, { path: `${path}.content` }), context) : [];
}
