/**
 * What the scripted upstream says when it is asked, before it is put in the words of either road:
 * `write_chat.ts` and `write_messages.ts` render the same turn.
 */
export type Turn = Say | Refuse | Hold;

/** An answer: its parts, in the pieces in which they arrive. */
export interface Say {
  kind: "say";
  thinking?: Thinking;
  text?: string[];
  tools?: ToolCall[];
  /** Pages that the upstream itself has found; told by translation alone. */
  found?: Page[];
  /** What the upstream says of the calls' safety, by id; told on the native road alone. */
  verdicts?: Record<string, unknown>;
  stop: Stop;
  usage: Usage;
  ending: Ending;
}

/**
 * What a model thinks: as text, signed, and with `sealed` also as what nobody but itself can read. On the road of
 * translation there is no signature, and sealed thinking has OpenAI's form: a summary beside what is encrypted.
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

/** Why a model stops, in Anthropic's words. */
export type Stop = "end_turn" | "tool_use" | "max_tokens" | "stop_sequence";

/** Tokens of one answer; `cached` are read from the cache and come on top of `input`. */
export interface Usage {
  input: number;
  cached: number;
  output: number;
}

/** How an answer ends once its parts are out: whole, in an error, with the socket gone, or not at all. */
export type Ending = "whole" | "error" | "cut" | "silence";

/** An HTTP error in OpenRouter's words; each road has its own body. */
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

/** An answer with defaults for what the test does not care about. */
export function say(parts: Partial<Omit<Say, "kind">>): Say {
  const stop = parts.tools === undefined ? "end_turn" : "tool_use";
  return { kind: "say", stop, usage: { input: 21, cached: 0, output: 7 }, ending: "whole", ...parts };
}

/**
 * Replaces `[[1.2]]` in the text of an answer by the mark of hit 2 of the first search in the request, as a model that
 * reads the request would write it. The text then arrives in short pieces.
 */
export function withMarks(turn: Say, request: string): Say {
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

/** An error as OpenRouter words it on either road; `type` is the Anthropic type of its `/messages`. */
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

/** A rate limit that asks for a wait of so many seconds. */
export function tooMany(seconds: number): Refuse {
  const refused = refuse(429, "rate_limit_error", "Provider returned error: rate limited upstream");
  return { ...refused, headers: { "retry-after": String(seconds) } };
}

/** A prompt longer than the model's window: OpenRouter's own words for chat, Anthropic's for messages. */
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
