import type { Reply } from "./turns.ts";

/**
 * The frames of a message as OpenRouter's own `/messages` streams them: a `gen-` id, no usage in `message_start`, no
 * `ping`, the thinking a second time as a trailing `redacted_thinking`, cost among the usage, and `event: data` with
 * `[DONE]` after `message_stop`.
 */
export function writeMessages(turn: Reply, model: string): string[] {
  const frames = [event("message_start", { message: { ...head(model), content: [], usage: NO_USAGE } })];
  const all = blocks(turn);
  for (const [index, { start, deltas }] of all.entries()) {
    frames.push(event("content_block_start", { index, content_block: start }));
    for (const delta of deltas) {
      frames.push(event("content_block_delta", { index, delta }));
    }
    // An answer without an end breaks off in its last block.
    if (turn.ending === "whole" || index < all.length - 1) {
      frames.push(event("content_block_stop", { index }));
    }
  }
  if (turn.ending === "error") {
    frames.push(
      event("error", { error: { type: "api_error", message: "Provider disconnected unexpectedly" } }),
    );
  }
  if (turn.ending !== "whole") return frames;
  const { verdicts } = turn;
  const safeguard_results = verdicts &&
    [{ type: "dangerous_tool_use", status: { type: "available", tool_uses: verdicts } }];
  const delta = {
    stop_reason: turn.stop,
    stop_sequence: null,
    stop_details: null,
    container: null,
    ...(safeguard_results && { safeguard_results }),
  };
  return [
    ...frames,
    event("message_delta", { delta, usage: usage(turn), context_management: null }),
    event("message_stop", {}),
    "event: data\ndata: [DONE]\n\n",
  ];
}

/** The same answer to a request without `stream`. */
export function writeMessagesWhole(turn: Reply, model: string): string {
  const content = blocks(turn).map((block) => block.whole);
  return JSON.stringify({ ...head(model), content, stop_reason: turn.stop, usage: usage(turn) });
}

interface Block {
  start: unknown;
  deltas: unknown[];
  whole: unknown;
}

function blocks({ thinking, text, tools, ending }: Reply): Block[] {
  const all: Block[] = [];
  if (thinking !== undefined) {
    const { pieces, signature, sealed } = thinking;
    all.push({
      start: { type: "thinking", thinking: "", signature: "" },
      deltas: [
        ...pieces.map((piece) => ({ type: "thinking_delta", thinking: piece })),
        { type: "signature_delta", signature },
      ],
      whole: { type: "thinking", thinking: pieces.join(""), signature },
    });
    if (sealed !== undefined) {
      const redacted = { type: "redacted_thinking", data: sealed };
      all.push({ start: redacted, deltas: [], whole: redacted });
    }
  }
  if (text !== undefined) {
    all.push({
      start: { type: "text", text: "", citations: [] },
      deltas: text.map((piece) => ({ type: "text_delta", text: piece })),
      whole: { type: "text", text: text.join(""), citations: [] },
    });
  }
  for (const { id, name, input } of tools ?? []) {
    all.push({
      start: { type: "tool_use", id, name, input: {}, caller: { type: "direct" } },
      deltas: input.map((partial_json) => ({ type: "input_json_delta", partial_json })),
      whole: {
        type: "tool_use",
        id,
        name,
        input: JSON.parse(input.join("") || "{}"),
        caller: { type: "direct" },
      },
    });
  }
  if (thinking !== undefined && ending === "whole") {
    const { pieces, signature } = thinking;
    const detail = JSON.stringify({ signature, text: pieces.join(""), type: "reasoning.text" });
    const duplicate = {
      type: "redacted_thinking",
      data: `openrouter.reasoning:${Buffer.from(detail).toString("base64")}`,
    };
    all.push({ start: duplicate, deltas: [], whole: duplicate });
  }
  return all;
}

const NO_USAGE = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: null,
  cache_read_input_tokens: null,
  cache_creation: null,
  inference_geo: null,
  server_tool_use: null,
  service_tier: null,
  speed: "standard",
};

function event(type: string, fields: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function head(model: string): Record<string, unknown> {
  return {
    id: "gen-1782640358-8xpFd0HzF6SZnlURyaC9",
    type: "message",
    role: "assistant",
    container: null,
    model: `${model}-20260217`,
    stop_reason: null,
    stop_details: null,
    stop_sequence: null,
    provider: "Anthropic",
  };
}

function usage(turn: Reply): unknown {
  return {
    ...NO_USAGE,
    input_tokens: turn.usage.input,
    output_tokens: turn.usage.output,
    output_tokens_details: { thinking_tokens: 0 },
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: turn.usage.cached,
    service_tier: "standard",
    cost: 0.000414,
    is_byok: false,
    cost_details: { upstream_inference_cost: 0.000414 },
  };
}
