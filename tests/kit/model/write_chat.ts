import type { Reply, Stop, Thinking } from "./turns.ts";

const FINISH: Record<Stop, [string, string]> = {
  end_turn: ["stop", "completed"],
  tool_use: ["tool_calls", "completed"],
  max_tokens: ["length", "max_output_tokens"],
  stop_sequence: ["stop", "stop_sequence"],
};

/**
 * The frames of a chat completion as OpenRouter streams them: comment lines before and between the chunks, the role
 * in each delta, a tool call's header with empty arguments before its pieces, and usage in a chunk after the finish
 * chunk that has choices and repeats the finish.
 */
export function writeChat(turn: Reply, model: string): string[] {
  const chunk = (choice: unknown, more: Record<string, unknown> = {}) =>
    `data: ${JSON.stringify({ ...head(model), choices: [choice], ...more })}\n\n`;
  const delta = (fields: Record<string, unknown>) =>
    chunk({
      index: 0,
      delta: { role: "assistant", content: "", ...fields },
      finish_reason: null,
      native_finish_reason: null,
    });
  const frames = [": OPENROUTER PROCESSING\n\n", ": OPENROUTER PROCESSING\n\n"];
  const { pieces, sealed } = turn.thinking ?? { pieces: [] };
  for (const piece of pieces) {
    const detail = sealed === undefined ? { ...REASONING, text: piece } : { ...SUMMARY, summary: piece };
    frames.push(delta({ reasoning: piece, reasoning_details: [detail] }));
  }
  if (sealed !== undefined) frames.push(delta({ reasoning_details: [toEncrypted(sealed)] }));
  for (const piece of turn.text ?? []) {
    frames.push(delta({ content: piece }), ": OPENROUTER PROCESSING\n\n");
  }
  if (turn.found !== undefined) {
    const annotations = turn.found.map((page) => ({ type: "url_citation", url_citation: page }));
    frames.push(delta({ annotations }));
  }
  for (const [index, tool] of (turn.tools ?? []).entries()) {
    const header = { index, id: tool.id, type: "function", function: { name: tool.name, arguments: "" } };
    frames.push(delta({ content: null, tool_calls: [header] }));
    for (const piece of tool.input) {
      frames.push(delta({ content: null, tool_calls: [{ index, function: { arguments: piece } }] }));
    }
  }
  if (turn.ending === "error") {
    const finish = { index: 0, delta: { role: "assistant", content: "" }, finish_reason: "error" };
    frames.push(chunk(finish, { error: { code: 502, message: "Provider disconnected unexpectedly" } }));
  }
  if (turn.ending !== "whole") return frames;
  const [finish_reason, native_finish_reason] = FINISH[turn.stop];
  const finish = { index: 0, delta: { role: "assistant", content: "" }, finish_reason, native_finish_reason };
  return [...frames, chunk(finish), chunk(finish, { usage: usage(turn) }), "data: [DONE]\n\n"];
}

/** The same answer to a request without `stream`. */
export function writeChatWhole(turn: Reply, model: string): string {
  const [finish_reason, native_finish_reason] = FINISH[turn.stop];
  const message = {
    role: "assistant",
    content: turn.text?.join("") ?? null,
    refusal: null,
    reasoning: turn.thinking?.pieces.join("") ?? null,
    ...(turn.thinking !== undefined && { reasoning_details: toDetails(turn.thinking) }),
    tool_calls: turn.tools?.map((tool, index) => ({
      index,
      id: tool.id,
      type: "function",
      function: { name: tool.name, arguments: tool.input.join("") },
    })),
  };
  const choice = { index: 0, logprobs: null, finish_reason, native_finish_reason, message };
  return JSON.stringify({ ...head(model), object: "chat.completion", choices: [choice], usage: usage(turn) });
}

/** Thinking as `reasoning_details` in one piece: the form without a stream, and the one that must be sent back. */
export function toDetails({ pieces, sealed }: Thinking): Record<string, unknown>[] {
  const text = pieces.join("");
  if (sealed === undefined) return [{ ...REASONING, text }];
  return [...(text === "" ? [] : [{ ...SUMMARY, summary: text }]), toEncrypted(sealed)];
}

function toEncrypted(data: string): Record<string, unknown> {
  return { ...SUMMARY, type: "reasoning.encrypted", id: `rs_${data}`, data };
}

const REASONING = { type: "reasoning.text", format: "unknown", index: 0 };
const SUMMARY = { type: "reasoning.summary", format: "openai-responses-v1", index: 0 };

function head(model: string): Record<string, unknown> {
  return {
    id: "gen-1777319818-QPRmQjcRi7f0czNVMFzC",
    object: "chat.completion.chunk",
    created: 1777319818,
    model: `${model}-20260317`,
    provider: "OpenAI",
  };
}

function usage(turn: Reply): unknown {
  const { input, cached, output } = turn.usage;
  return {
    prompt_tokens: input + cached,
    completion_tokens: output,
    total_tokens: input + cached + output,
    cost: 0.0000893,
    is_byok: false,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: 0, audio_tokens: 0, video_tokens: 0 },
    cost_details: { upstream_inference_cost: 0.0000893 },
    completion_tokens_details: { reasoning_tokens: 0, image_tokens: 0, audio_tokens: 0 },
  };
}
