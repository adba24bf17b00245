import type { ResponseBlock, ResponseMessage, StreamEvent } from "./events.ts";

type Delta = { type: string; [field: string]: unknown };

/**
 * Tells a whole message as the events of a stream, the counterpart of folding them.
 *
 * @example Usage
 * ```ts
 * import { collectMessage } from "./collect.ts";
 * import { explodeMessage } from "./explode.ts";
 *
 * const usage = { input_tokens: 1, output_tokens: 1 };
 * const content = [{ type: "text", text: "Hello" }];
 * const ends = { stop_reason: "end_turn", stop_sequence: null };
 * const events = explodeMessage({ id: "msg_1", type: "message", role: "assistant", model: "m", content, usage, ...ends });
 * const message = await collectMessage([events]);
 * if (message.content[0]?.text !== "Hello") throw new Error("text is lost");
 * ```
 */
export function explodeMessage(message: ResponseMessage): StreamEvent[] {
  const { stop_reason, stop_sequence, usage } = message;
  return [
    { type: "message_start", message: { ...message, content: [], stop_reason: null, stop_sequence: null } },
    ...message.content.flatMap(explodeBlock),
    { type: "message_delta", delta: { stop_reason, stop_sequence }, usage },
    { type: "message_stop" },
  ];
}

function explodeBlock(block: ResponseBlock, index: number): StreamEvent[] {
  const [content_block, deltas] = split(block);
  return [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta): StreamEvent => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

function split(block: ResponseBlock): [start: ResponseBlock, deltas: Delta[]] {
  switch (block.type) {
    case "text": {
      const cited = Array.isArray(block.citations) ? block.citations : [];
      return [{ ...block, text: "", ...(cited.length > 0 && { citations: [] }) }, [
        { type: "text_delta", text: block.text },
        ...cited.map((citation) => ({ type: "citations_delta", citation })),
      ]];
    }
    case "thinking":
      return [{ ...block, thinking: "", signature: "" }, [
        ...(block.thinking ? [{ type: "thinking_delta", thinking: block.thinking }] : []),
        { type: "signature_delta", signature: block.signature },
      ]];
    case "tool_use":
    case "server_tool_use":
      return [{ ...block, input: {} }, [{
        type: "input_json_delta",
        partial_json: JSON.stringify(block.input),
      }]];
    default:
      return [block, []];
  }
}
