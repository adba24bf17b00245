import { count, dig, type Json, objects, text } from "../kit/json.ts";

/** A tool call of an answer: the tool's name, and the value of its arguments. */
export interface AnswerCall {
  name: string;
  input: unknown;
}

/** Token counts as Anthropic counts them: `input` excludes tokens read from or written to the cache. */
export interface AnswerUsage {
  input: number;
  output: number;
  read: number;
  written: number;
}

/** The content of an answer, independent of the API and of the number of pieces it came in. */
export interface AnswerContent {
  text: string;
  thinking: string;
  calls: AnswerCall[];
  stop: string;
  /** `undefined` if the upstream reported no usage. */
  usage: AnswerUsage | undefined;
}

/** Reads the content of a message of Anthropic's API. */
export function contentOfMessage(message: Json): AnswerContent {
  const blocks = objects(message.content);
  const { usage } = message;
  return {
    text: blocks.filter(({ type }) => type === "text").map((block) => text(block.text)).join(""),
    thinking: blocks.filter(({ type }) => type === "thinking").map((block) => text(block.thinking)).join(""),
    calls: blocks.filter(({ type }) => type === "tool_use").map(({ name, input }) => ({
      name: text(name),
      input,
    })),
    stop: text(message.stop_reason),
    usage: {
      input: count(dig(usage, "input_tokens")),
      output: count(dig(usage, "output_tokens")),
      read: count(dig(usage, "cache_read_input_tokens")),
      written: count(dig(usage, "cache_creation_input_tokens")),
    },
  };
}
