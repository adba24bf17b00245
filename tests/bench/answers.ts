import { createRandom } from "../kit/random.ts";

/** The content and the form of an answer of the upstream. */
export interface AnswerPlan {
  /** Deltas of text, of thinking, or of the arguments of one tool call. */
  kind: "text" | "thinking" | "tool";
  /** Number of deltas. */
  chunks: number;
  /** Cuts the stream into HTTP chunks of this many bytes. Without it, each event is an HTTP chunk. */
  cutBytes?: number;
}

/** API that a stream or a body is written in: chat completions, or Anthropic's Messages. */
export type Api = "chat" | "messages";

/** Name of the model in requests and answers, for each API of the upstream. */
export const MODELS: Readonly<Record<Api, string>> = {
  chat: "bench/model",
  messages: "anthropic/claude-bench-1",
};

const WORDS = [
  "the ",
  "answer",
  " of",
  " a ",
  "model",
  ", which\n",
  "“said”",
  " 42",
  "\tpath/to\\file",
  " größe",
];

/** Returns the deltas of an answer. They are the same in each run. */
export function deltasOf({ kind, chunks }: AnswerPlan): string[] {
  const random = createRandom(chunks);
  const words = Array.from({ length: chunks }, () => WORDS[random(WORDS.length)] ?? "");
  return kind === "tool" ? ['{"path":"', ...words.slice(2).map(escapeJson), '"}'] : words;
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Returns the part of an answer that a client must receive: its text, its thinking, or the arguments of its call. */
export function expectedText(plan: AnswerPlan): string {
  return deltasOf(plan).join("");
}

/** Returns the HTTP chunks of a streamed answer, each with its frame. The last one ends the body. */
export function toFrames(plan: AnswerPlan, api: Api): Uint8Array[] {
  const events = api === "chat" ? toChatEvents(plan) : toMessageEvents(plan);
  const pieces = plan.cutBytes === undefined
    ? events.map(encode)
    : cut(encode(events.join("")), plan.cutBytes);
  return [...pieces.map(toFrame), encode("0\r\n\r\n")];
}

/** Returns the body of an answer that is not streamed. */
export function toBody(plan: AnswerPlan, api: Api): Uint8Array {
  const text = expectedText(plan);
  const usage = { input_tokens: 11, output_tokens: plan.chunks };
  const body = api === "chat"
    ? {
      ...CHUNK,
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
      usage: CHAT_USAGE,
    }
    : { ...MESSAGE, content: [{ type: "text", text }], stop_reason: "end_turn", usage };
  return encode(JSON.stringify(body));
}

const CHUNK = {
  id: "gen-1764000000-8jRr5wFzPqkVnKxYtLbC",
  provider: "Bench",
  model: MODELS.chat,
  object: "chat.completion.chunk",
  created: 1764000000,
};
const CHAT_USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

function toChatEvents(plan: AnswerPlan): string[] {
  const end = { native_finish_reason: null, logprobs: null };
  const chunk = (delta: object, finish_reason: string | null = null) =>
    toEvent({ ...CHUNK, choices: [{ index: 0, delta, finish_reason, ...end }] });
  const deltas = deltasOf(plan).map((text, at) =>
    chunk({ role: "assistant", ...toChatDelta(plan, text, at) })
  );
  return [
    ": OPENROUTER PROCESSING\n\n",
    ...deltas,
    chunk({ role: "assistant", content: "" }, plan.kind === "tool" ? "tool_calls" : "stop"),
    toEvent({ ...CHUNK, choices: [], usage: CHAT_USAGE }),
    "data: [DONE]\n\n",
  ];
}

function toChatDelta({ kind }: AnswerPlan, text: string, at: number): object {
  switch (kind) {
    case "text":
      return { content: text };
    case "thinking":
      return { content: "", reasoning: text };
    case "tool": {
      const head = at === 0 ? { id: "call_bench1", type: "function" } : {};
      const name = at === 0 ? { name: "Read" } : {};
      return { content: null, tool_calls: [{ index: 0, ...head, function: { ...name, arguments: text } }] };
    }
  }
}

const MESSAGE = { id: "msg_bench1", type: "message", role: "assistant", model: MODELS.messages };

function toMessageEvents(plan: AnswerPlan): string[] {
  const usage = { input_tokens: 11, output_tokens: 1 };
  const message = { ...MESSAGE, content: [], stop_reason: null, stop_sequence: null, usage };
  const events = [
    { type: "message_start", message },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...deltasOf(plan).map((text) => ({
      type: "content_block_delta",
      index: 0,
      delta: { type: "text_delta", text },
    })),
    { type: "content_block_stop", index: 0 },
    {
      type: "message_delta",
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { output_tokens: 7 },
    },
    { type: "message_stop" },
  ];
  return events.map((event) => `event: ${event.type}\n${toEvent(event)}`);
}

function toEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function toFrame(piece: Uint8Array): Uint8Array {
  return Buffer.concat([encode(`${piece.byteLength.toString(16)}\r\n`), piece, encode("\r\n")]);
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const count = Math.ceil(bytes.byteLength / size);
  return Array.from({ length: count }, (_, nth) => bytes.subarray(nth * size, (nth + 1) * size));
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
