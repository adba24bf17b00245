import type { AnswerCall, AnswerContent, AnswerUsage } from "./answer_content.ts";
import { count, dig, isJson, type Json, objects, text } from "../kit/json.ts";

/**
 * Reads the content of the chunks of a chat completion, without any code of the gateway: it collects all chunks first
 * and interprets them at the end.
 */
export function contentOfChunks(chunks: readonly Json[]): AnswerContent {
  const choices = chunks.flatMap((chunk) => objects(chunk.choices)).filter(({ index }) => !index);
  // A message takes precedence over an empty delta beside it.
  const whole = chunks.length === 1;
  const deltas = choices.map(({ delta, message }) => whole ? message ?? delta : delta ?? message).filter(
    isJson,
  );
  const calls = toCalls(deltas.flatMap(({ tool_calls }) => objects(tool_calls)));
  const refused = deltas.some(({ refusal }) => text(refusal) !== "");
  const output = deltas.map(({ content, refusal }) => toText(content, "text") + text(refusal)).join("");
  const [, tagged, rest = ""] = /^\s*<think>\s*([^]*?)\s*(?:<\/think>\s*([^]*))?$/.exec(output) ?? [];
  const plain = tagged === undefined ? output : rest;
  return {
    // Blank text is not an answer.
    text: plain.trim() === "" ? "" : plain,
    thinking: deltas.map(toThinking).join("") || (tagged ?? ""),
    calls,
    stop: toStop(choices, calls.length > 0 ? "tool_use" : refused ? "refusal" : "end_turn"),
    usage: chunks.map(toUsage).findLast((usage) => usage !== undefined),
  };
}

/** Returns the text of one kind of part. A string is text. */
function toText(content: unknown, kind: "text" | "thinking"): string {
  if (typeof content === "string") return kind === "text" ? content : "";
  return objects(content).filter(({ type }) => type === kind).map((part) => {
    const inner = part[kind];
    return typeof inner === "string" ? inner : toText(inner, "text");
  }).join("");
}

/** Returns the reasoning. If several fields have it, they have the same text. */
function toThinking(delta: Json): string {
  const details = objects(delta.reasoning_details).map((detail) => text(detail.text ?? detail.summary));
  return details.join("") || text(delta.reasoning_content) || text(delta.reasoning) ||
    toText(delta.content, "thinking");
}

/** Joins the pieces of each call: those with the same id; without an id, those of the last call with this index. */
function toCalls(pieces: readonly Json[]): AnswerCall[] {
  const calls: { id: string; index: unknown; name: string; input: string }[] = [];
  for (const { id, index, function: called } of pieces) {
    let call = id
      ? calls.find((other) => other.id === id)
      : calls.findLast((other) => index === undefined || index === null || other.index === index);
    if (call === undefined) {
      call = { id: text(id), index, name: "", input: "" };
      calls.push(call);
    }
    call.name ||= text(dig(called, "name"));
    const input = dig(called, "arguments");
    call.input += isJson(input) ? JSON.stringify(input) : text(input);
  }
  return calls.map(({ name, input }) => ({ name, input: toValue(input) }));
}

/** Parses the arguments of a call. Empty or truncated arguments are an empty object. */
function toValue(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return {};
  }
}

function toStop(choices: readonly Json[], usual: string): string {
  const finish = choices.map(({ finish_reason }) => text(finish_reason)).find((reason) => reason !== "");
  if (finish === "length") return "max_tokens";
  if (finish === "content_filter") return "refusal";
  return usual;
}

function toUsage(chunk: Json): AnswerUsage | undefined {
  const usage = chunk.usage ?? dig(chunk, "x_groq", "usage");
  if (!isJson(usage)) return undefined;
  const read = count(dig(usage, "prompt_tokens_details", "cached_tokens"));
  const written = count(dig(usage, "prompt_tokens_details", "cache_write_tokens"));
  const prompt = count(usage.prompt_tokens);
  // Prompt tokens include the cached ones, unless there are too few of them for that.
  const input = prompt < read + written ? prompt : prompt - read - written;
  const completion = count(usage.completion_tokens);
  const reasoning = count(dig(usage, "completion_tokens_details", "reasoning_tokens"));
  // Completion tokens include the reasoning, unless the total counts it on top.
  const separate = count(usage.total_tokens) === prompt + completion + reasoning;
  const output = separate ? completion + reasoning : completion;
  return { input, output, read, written };
}
