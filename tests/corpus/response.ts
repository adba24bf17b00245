import type { AnswerCall, AnswerContent, AnswerUsage } from "./answer_content.ts";
import type { Frame } from "./frames.ts";
import { count, dig, isJson, type Json, objects, parseJson, text } from "../kit/json.ts";

/** Sentence that stands for a generated image. */
const IMAGE_NOTE = "[An image was generated, which is left out]";

/** Types of items that the Messages API has in another form, or that have no content of the answer. */
const COUNTERPARTS = new Set(["message", "function_call", "reasoning", "compaction", "web_search_call"]);

/**
 * Reads the content of a response of the Responses API, without any code of the gateway.
 */
export function contentOfResponse({ output, status, usage, incomplete_details }: Json): AnswerContent {
  const items = objects(output);
  const parts = items.filter(({ type }) => type === "message").flatMap(({ content }) => objects(content));
  const calls = items.filter(({ type }) => type === "function_call").map(toCall);
  const usual = calls.length > 0
    ? "tool_use"
    : parts.some(({ type }) => type === "refusal")
    ? "refusal"
    : "end_turn";
  const plain = items.map(toText).join("");
  const thinking = items.map(toThinking).join("");
  const isEmpty = plain === "" && thinking === "" && calls.length === 0;
  const limit = dig(incomplete_details, "reason") === "content_filter" ? "refusal" : "max_tokens";
  return {
    text: isEmpty ? toOmissions(items) : plain,
    thinking,
    calls,
    stop: status === "incomplete" ? limit : usual,
    usage: isJson(usage) ? toUsage(usage) : undefined,
  };
}

/** Reads the response of a stream: its complete items, or those of its last event. */
export function responseOfStream(frames: readonly Frame[]): Json {
  const events = frames.map(({ data }) => parseJson(data));
  const last = events.findLast(({ type }) => /^response\.(completed|incomplete|failed)$/.test(text(type)));
  const response = isJson(last?.response) ? last.response : {};
  const done = events.filter(({ type }) => type === "response.output_item.done");
  const output = done.toSorted((a, b) => count(a.output_index) - count(b.output_index)).map(({ item }) =>
    item
  );
  return output.length > 0 ? { ...response, output } : response;
}

/** Returns the items that the second turn must contain: texts, reasoning that the host can use, and calls. */
export function itemsToReturn({ output }: Json): Json[] {
  const items = objects(output).flatMap((item): Json[] => {
    const { type, name, content, encrypted_content } = item;
    const plain = toText(item);
    if (plain !== "") return [{ text: plain }];
    if (type === "function_call") return [{ name, input: toCall(item).input }];
    if (type === "compaction") return [{ encrypted_content }];
    if (type !== "reasoning" || !(encrypted_content || objects(content).length > 0)) return [];
    return [{ encrypted_content, content: objects(content), summary: item.summary ?? [] }];
  });
  const omissions = contentOfResponse({ output }).text;
  if (items.every((item) => "summary" in item) && omissions !== "") items.push({ text: omissions });
  const end = items.findLastIndex((item) => !("summary" in item)) + 1;
  return items.slice(0, end);
}

/** Returns the notes in place of items without a counterpart, for an answer that has no other content. */
function toOmissions(items: readonly Json[]): string {
  const types = new Set(items.map(({ type }) => text(type)).filter((type) => !COUNTERPARTS.has(type)));
  return [...types]
    .map((type) => `[The model returned an item of type "${type}", which this API cannot carry]`)
    .join("\n");
}

function toText({ type, content, result }: Json): string {
  if (type === "image_generation_call" && result) return IMAGE_NOTE;
  const all = type === "message"
    ? objects(content).map((part) => text(part.text ?? part.refusal)).join("")
    : "";
  return all.trim() === "" ? "" : all;
}

/** Returns the text of the reasoning, or its summary. */
function toThinking({ type, content, summary }: Json): string {
  if (type !== "reasoning") return "";
  const texts = [content, summary].map((parts) =>
    objects(parts).map((part) => text(part.text)).filter(Boolean)
  );
  return (texts.find(({ length }) => length > 0) ?? []).join("\n\n");
}

function toCall({ name, arguments: input }: Json): AnswerCall {
  return { name: text(name), input: text(input) === "" ? {} : JSON.parse(text(input)) };
}

function toUsage(usage: Json): AnswerUsage {
  const read = count(dig(usage, "input_tokens_details", "cached_tokens"));
  const written = count(dig(usage, "input_tokens_details", "cache_write_tokens"));
  return {
    input: count(usage.input_tokens) - read - written,
    output: count(usage.output_tokens),
    read,
    written,
  };
}
