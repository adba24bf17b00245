import type { JsonObject } from "../base/json.ts";

/** Token counts of a message. `input_tokens` excludes tokens read from or written to the cache. */
export interface Usage {
  /** Tokens of the request. */
  input_tokens: number;
  /** Tokens of the answer, thinking included. */
  output_tokens: number;
  /** Tokens written to the upstream's cache. */
  cache_creation_input_tokens?: number | null;
  /** Tokens read from the upstream's cache. */
  cache_read_input_tokens?: number | null;
  /** Further counts of the upstream. */
  [field: string]: unknown;
}

/** A message in an answer of the API. Source: https://platform.claude.com/docs/en/api/messages */
export interface ResponseMessage {
  /** Id of the message, such as `msg_…`. */
  id: string;
  /** Type of the object. */
  type: "message";
  /** Role of its author. */
  role: "assistant";
  /** Model that answered. */
  model: string;
  /** Blocks in their order. */
  content: ResponseBlock[];
  /** Why the answer ended, such as `end_turn` or `tool_use`. */
  stop_reason: string | null;
  /** The stop sequence that ended it. */
  stop_sequence: string | null;
  /** Token counts. */
  usage: Usage;
  /** Further fields of the upstream. */
  [field: string]: unknown;
}

/** A block of an answer. The set of types is open: an Anthropic upstream may send newer ones. */
export interface ResponseBlock {
  /** Type of the block, such as `text`. */
  type: string;
  /** Fields of the type. */
  [field: string]: unknown;
}

/** Start of a message; its `content` is empty. */
export interface MessageStart {
  type: "message_start";
  message: ResponseMessage;
}

/** Start of a block. */
export interface BlockStart {
  type: "content_block_start";
  index: number;
  content_block: ResponseBlock;
}
/** Piece of a block. */
export interface BlockDelta {
  type: "content_block_delta";
  index: number;
  delta: { type: string; [field: string]: unknown };
}
/** End of a block. */
export interface BlockStop {
  type: "content_block_stop";
  index: number;
}
/** Stop reason and final usage of a message. */
export interface MessageDelta {
  type: "message_delta";
  delta: { stop_reason: string | null; stop_sequence: string | null; [field: string]: unknown };
  usage: Partial<Usage> & { output_tokens: number };
  [field: string]: unknown;
}
/** End of a message. */
export interface MessageStop {
  type: "message_stop";
  [field: string]: unknown;
}
/** Keeps the connection alive. */
export interface Ping {
  type: "ping";
}

/** An event of an unknown type. The literal stands for any other string. */
export interface OtherEvent {
  type: "(unknown)";
  [field: string]: unknown;
}

/** An event in the stream of a message. Source: https://platform.claude.com/docs/en/build-with-claude/streaming */
export type StreamEvent =
  | MessageStart
  | BlockStart
  | BlockDelta
  | BlockStop
  | MessageDelta
  | MessageStop
  | Ping
  | OtherEvent;

/** Stop reasons that the gateway sets itself. */
export type StopReason =
  | "end_turn"
  | "max_tokens"
  | "stop_sequence"
  | "tool_use"
  | "pause_turn"
  | "refusal"
  | "model_context_window_exceeded";

/** A partial usage report. Missing counts keep their values. */
export type UsageReport = Partial<Usage> & JsonObject;
