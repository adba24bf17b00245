/**
 * An answer of the scripted upstream, independent of the format: `write_chat.ts` and `write_messages.ts` convert
 * the same turn to theirs.
 */
export type Turn = Reply | Refuse | Hold;

/** An answer: its parts, in the pieces in which they arrive. */
export interface Reply {
  kind: "reply";
  thinking?: Thinking;
  text?: string[];
  tools?: ToolCall[];
  /** Pages that the upstream itself has found; only in chat completions. */
  found?: Page[];
  /** The upstream's verdicts on the safety of calls, by id; only in messages. */
  verdicts?: Record<string, unknown>;
  stop: Stop;
  usage: Usage;
  ending: Ending;
}

/**
 * Thinking of a model: as text, signed, and with `sealed` also encrypted. In chat completions there is no
 * signature, and encrypted thinking has OpenAI's form: a summary beside the encrypted text.
 */
export interface Thinking {
  pieces: string[];
  signature: string;
  sealed?: string;
}

/** A tool call; `input` is the JSON of its arguments, in pieces. */
export interface ToolCall {
  id: string;
  name: string;
  input: string[];
}

/** A page of the web. */
export interface Page {
  url: string;
  title: string;
  content: string;
}

/** Reason for the end of an answer, in Anthropic's terms. */
export type Stop = "end_turn" | "tool_use" | "max_tokens" | "stop_sequence";

/** Tokens of one answer; `cached` are read from the cache and are not part of `input`. */
export interface Usage {
  input: number;
  cached: number;
  output: number;
}

/** End of an answer after its parts: complete, an error, a closed connection, or no end. */
export type Ending = "whole" | "error" | "cut" | "silence";

/** An HTTP error of OpenRouter; each format has its own body. */
export interface Refuse {
  kind: "refuse";
  status: number;
  /** The Anthropic type and message that a client must see in the end. */
  type: string;
  message: string;
  headers: Record<string, string>;
  chat: unknown;
  messages: unknown;
}

/** Not one byte, not even headers, until the gateway hangs up. */
export interface Hold {
  kind: "hold";
}

/** Creates an answer with defaults for the fields that a test does not set. */
export function reply(parts: Partial<Omit<Reply, "kind">>): Reply {
  const stop = parts.tools === undefined ? "end_turn" : "tool_use";
  return { kind: "reply", stop, usage: { input: 21, cached: 0, output: 7 }, ending: "whole", ...parts };
}

/**
 * Replaces `[[1.2]]` in the text of an answer by the mark of hit 2 of the first search in the request, as a model that
 * reads the request would write it. The text then arrives in short pieces.
 */
export function withMarks(turn: Reply, request: string): Reply {
  const marks = Array.from(request.matchAll(/\[\[([0-9a-f]{6})\.\d+\]\]/g), ([, search = ""]) => search);
  const searches = [...new Set(marks)].filter((search) => search !== "c0ffee");
  const text = (turn.text ?? []).join("");
  const marked = text.replace(
    /\[\[(\d)\.(\d)\]\]/g,
    (mark, search, hit) => searches[search - 1] === undefined ? mark : `[[${searches[search - 1]}.${hit}]]`,
  );
  return marked === text ? turn : { ...turn, text: marked.match(/[\s\S]{1,5}/g) ?? [] };
}

/** A tool call whose arguments arrive as an empty piece, then in three. */
export function call(id: string, name: string, input: unknown): ToolCall {
  const json = JSON.stringify(input);
  const third = Math.ceil(json.length / 3);
  return { id, name, input: ["", json.slice(0, third), json.slice(third, 2 * third), json.slice(2 * third)] };
}

/** Creates an error in OpenRouter's form for both formats; `type` is the Anthropic type of its `/messages`. */
export function refuse(status: number, type: string, message: string): Refuse {
  return {
    kind: "refuse",
    status,
    type,
    message,
    headers: {},
    chat: { error: { code: status, message, metadata: { provider_name: "Azure" } }, user_id: "user_2abc" },
    messages: { type: "error", error: { type, message }, request_id: "gen-1782639366-refused" },
  };
}

/** Creates a rate limit with a wait in seconds. */
export function tooMany(seconds: number): Refuse {
  const refused = refuse(429, "rate_limit_error", "Provider returned error: rate limited upstream");
  return { ...refused, headers: { "retry-after": String(seconds) } };
}

/** A prompt longer than the model's window: OpenRouter's message for chat, Anthropic's for messages. */
export function tooLong(tokens: number, maximum: number): Refuse {
  const words = `prompt is too long: ${tokens} tokens > ${maximum} maximum`;
  const message = [
    `This endpoint's maximum context length is ${maximum} tokens.`,
    `However, you requested about ${tokens} tokens (${tokens - 4096} of text input, 4096 in the output).`,
    "Please reduce the length of either one, or use the context-compression plugin.",
  ].join(" ");
  const chat = { error: { code: 400, message, metadata: { provider_name: null } } };
  return { ...refuse(400, "invalid_request_error", words), chat };
}

/** Silence from the first byte on. */
export function hold(): Hold {
  return { kind: "hold" };
}
