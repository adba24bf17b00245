import { isObject, type JsonObject } from "../../../base/json.ts";
import type { Chunk, ToolCallDelta } from "./chunk.ts";

/**
 * True for a field of a chunk that says nothing about the answer, and for its choices. A `switch` takes less time than
 * a `Set`.
 */
function isChunkField(name: string): boolean {
  switch (name) {
    case "id":
    case "object":
    case "created":
    case "model":
    case "provider":
    case "choices":
    case "system_fingerprint":
    case "service_tier":
      return true;
    default:
      return false;
  }
}

/** True for a field of a choice that may be `null`, and means nothing then. */
function isNullField(name: string): boolean {
  switch (name) {
    case "finish_reason":
    case "native_finish_reason":
    case "logprobs":
    case "stop_reason":
      return true;
    default:
      return false;
  }
}

/**
 * Returns a chunk that has a piece of text, of reasoning or of one tool call, and nothing else, as nearly all chunks of
 * a stream do. The result is what the schema {@linkcode Chunk} makes of it, at a tenth of its time. Undefined for any
 * other chunk.
 *
 * @example Usage
 * ```ts
 * import { toPlainChunk } from "./plain_chunk.ts";
 *
 * const choice = { index: 0, delta: { content: "Hi" }, finish_reason: null };
 * if (toPlainChunk({ id: "1", choices: [choice] }) === undefined) throw new Error("a piece of text is plain");
 * if (toPlainChunk({ choices: [{ ...choice, finish_reason: "stop" }] })) throw new Error("the end is not plain");
 * ```
 */
export function toPlainChunk(json: JsonObject): Chunk | undefined {
  for (const name in json) if (!isChunkField(name)) return undefined;
  const { choices } = json;
  if (!Array.isArray(choices) || choices.length !== 1) return undefined;
  const choice: unknown = choices[0];
  if (!isObject(choice) || !isObject(choice.delta)) return undefined;
  for (const name in choice) {
    const isPlain = name === "index" || name === "delta" || (isNullField(name) && choice[name] === null);
    if (!isPlain) return undefined;
  }
  const { index, delta } = choice;
  if (typeof index !== "number") return undefined;
  for (const name in delta) {
    if (name !== "content" && name !== "reasoning" && name !== "role" && name !== "tool_calls") {
      return undefined;
    }
  }
  const { content, reasoning, tool_calls: calls } = delta;
  if (typeof content !== "string" && content !== null && content !== undefined) return undefined;
  if (calls !== undefined) {
    const isPlain = reasoning === undefined && Array.isArray(calls) && calls.length === 1 &&
      isPlainCall(calls[0]);
    return isPlain ? { choices: [{ index, delta: { content, tool_calls: calls } }] } : undefined;
  }
  if (typeof reasoning === "string") return { choices: [{ index, delta: { content, reasoning } }] };
  return reasoning === null || reasoning === undefined
    ? { choices: [{ index, delta: { content } }] }
    : undefined;
}

const CALL_FIELDS: ReadonlySet<string> = new Set(["index", "id", "type", "function"]);

/** True for a tool call, or a piece of one, with a number as index and texts as name and arguments. */
function isPlainCall(call: unknown): call is ToolCallDelta {
  if (!isObject(call) || typeof call.index !== "number" || !isObject(call.function)) return false;
  for (const name in call) if (!CALL_FIELDS.has(name)) return false;
  for (const name in call.function) if (name !== "name" && name !== "arguments") return false;
  const { id, function: { name, arguments: text } } = call;
  return (id === undefined || typeof id === "string") && (name === undefined || typeof name === "string") &&
    typeof text === "string";
}
