import type { JsonObject } from "../base/json.ts";

/** Token counts of a message; `input_tokens` leaves out what was read from or written to the cache. */
export interface Usage {
  input_tokens: number;
  output_tokens: number;
  cache_creation_input_tokens?: number | null;
  cache_read_input_tokens?: number | null;
  [field: string]: unknown;
}

/** A message as the API answers it. Source: https://platform.claude.com/docs/en/api/messages */
export interface ResponseMessage {
  id: string;
  type: "message";
  role: "assistant";
  model: string;
  content: ResponseBlock[];
  stop_reason: string | null;
  stop_sequence: string | null;
  usage: Usage;
  [field: string]: unknown;
}

/** A block of an answer. Its kinds are open: an Anthropic upstream may send ones that no gateway knows yet. */
export interface ResponseBlock {
  type: string;
  [field: string]: unknown;
}

export interface MessageStart {
  type: "message_start";
  message: ResponseMessage;
}
export interface BlockStart {
  type: "content_block_start";
  index: number;
  content_block: ResponseBlock;
}
export interface BlockDelta {
  type: "content_block_delta";
  index: number;
  delta: { type: string; [field: string]: unknown };
}
export interface BlockStop {
  type: "content_block_stop";
  index: number;
}
export interface MessageDelta {
  type: "message_delta";
  delta: { stop_reason: string | null; stop_sequence: string | null; [field: string]: unknown };
  usage: Partial<Usage> & { output_tokens: number };
  [field: string]: unknown;
}
export interface MessageStop {
  type: "message_stop";
  [field: string]: unknown;
}
export interface Ping {
  type: "ping";
}

/** An event that this gateway does not know; the literal stands for any other string. */
export interface OtherEvent {
  type: "(unknown)";
  [field: string]: unknown;
}

/** One event of a message's stream. Source: https://platform.claude.com/docs/en/build-with-claude/streaming */
export type StreamEvent =
  | MessageStart
  | BlockStart
  | BlockDelta
  | BlockStop
  | MessageDelta
  | MessageStop
  | Ping
  | OtherEvent;

/** Why a message ended, as far as this gateway says so itself. */
export type StopReason =
  | "end_turn"
  | "max_tokens"
  | "stop_sequence"
  | "tool_use"
  | "pause_turn"
  | "refusal"
  | "model_context_window_exceeded";

/** A part of a usage report: counts not named stay as they are. */
export type UsageReport = Partial<Usage> & JsonObject;
