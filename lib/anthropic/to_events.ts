import { isObject } from "../base/json.ts";
import type { ResponseBlock, ResponseMessage, StreamEvent } from "./events.ts";

type Delta = { type: string; [field: string]: unknown };

/**
 * Converts a complete message to the events of a stream; the inverse of `collectMessage`.
 *
 * @example Usage
 * ```ts
 * import { collectMessage } from "./collect.ts";
 * import { toEvents } from "./to_events.ts";
 *
 * const usage = { input_tokens: 1, output_tokens: 1 };
 * const content = [{ type: "text", text: "Hello" }];
 * const stop = { stop_reason: "end_turn", stop_sequence: null };
 * const events = toEvents({ id: "msg_1", type: "message", role: "assistant", model: "m", content, usage, ...stop });
 * const message = await collectMessage([events]);
 * if (message.content[0]?.text !== "Hello") throw new Error("text is lost");
 * ```
 */
export function toEvents(message: ResponseMessage): StreamEvent[] {
  const { stop_reason, stop_sequence, safeguard_results, usage, ...start } = message;
  const delta = { stop_reason, stop_sequence, ...(safeguard_results !== undefined && { safeguard_results }) };
  return [
    {
      type: "message_start",
      message: { ...start, content: [], stop_reason: null, stop_sequence: null, usage },
    },
    ...message.content.flatMap(toBlockEvents),
    { type: "message_delta", delta, usage },
    { type: "message_stop" },
  ];
}

/** Converts a complete block to the events of a stream. */
export function toBlockEvents(block: ResponseBlock, index: number): StreamEvent[] {
  const [content_block, deltas] = splitBlock(block);
  return [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta): StreamEvent => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

/**
 * Splits a block into its start and its deltas.
 *
 * A block of another type, or without the field of its type, is sent whole in its start event.
 */
function splitBlock(block: ResponseBlock): [start: ResponseBlock, deltas: Delta[]] {
  const { type, text, citations, thinking, signature, input, content } = block;
  if (type === "text" && typeof text === "string") {
    const cited = Array.isArray(citations) ? citations : [];
    const start = { ...block, text: "", ...(cited.length > 0 && { citations: [] }) };
    return [start, [
      { type: "text_delta", text },
      ...cited.map((citation) => ({ type: "citations_delta", citation })),
    ]];
  }
  if (type === "thinking" && typeof thinking === "string") {
    return [{ ...block, thinking: "", signature: "" }, [
      ...(thinking ? [{ type: "thinking_delta", thinking }] : []),
      ...(typeof signature === "string" ? [{ type: "signature_delta", signature }] : []),
    ]];
  }
  if ((type === "tool_use" || type === "server_tool_use") && isObject(input)) {
    return [{ ...block, input: {} }, [{ type: "input_json_delta", partial_json: JSON.stringify(input) }]];
  }
  if (type === "compaction" && typeof content === "string") {
    return [{ ...block, content: null }, [{ type: "compaction_delta", content }]];
  }
  return [block, []];
}
