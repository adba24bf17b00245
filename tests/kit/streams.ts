import type { Json } from "./json.ts";
import type { UpstreamApi } from "./requests/request.ts";

/** The last frame of a stream of chat completions. */
export const DONE = "data: [DONE]\n\n";

/** Writes one chunk of chat completions. */
export function writeChunk(chunk: Json): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** Writes one chunk of chat completions with a single choice. */
export function writeDelta(delta: Json, choice: Json = {}): string {
  return writeChunk({ choices: [{ delta, ...choice }] });
}

/** Writes a whole stream of chat completions. */
export function writeChunks(...chunks: readonly Json[]): string {
  return chunks.map(writeChunk).join("") + DONE;
}

/** Writes one event of Anthropic's Messages API, or of the Responses API. */
export function writeEvent(event: { type: string; [field: string]: unknown }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** The shortest complete stream of each API. */
export const COMPLETE_STREAMS: Record<UpstreamApi, string> = {
  chat: writeDelta({ content: "Hi" }, { finish_reason: "stop" }) + DONE,
  native: [
    { type: "message_start", message: { id: "msg_1", usage: { input_tokens: 1, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
    { type: "message_stop" },
  ].map(writeEvent).join(""),
  responses: [
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hi" },
    { type: "response.completed", response: { status: "completed", output: [] } },
  ].map(writeEvent).join(""),
};
