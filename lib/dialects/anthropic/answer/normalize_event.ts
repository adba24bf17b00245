import { isObject, type JsonObject } from "../../../base/json.ts";

/** Types of blocks that Anthropic's answers never have, and that no client can show. */
const UNCARRIED_TYPE = /^(image|audio|video|document|file|input_|output_)/;

/**
 * Corrects an event of a host that imitates Anthropic's API: an index or a count that is a text becomes a number, and
 * an image or another attachment a note in its place. One odd field must not fail an answer whose meaning is clear.
 */
export function normalizeEvent(event: JsonObject): JsonObject {
  const { index, content_block: block, delta, message, usage } = event;
  return {
    ...event,
    ...(delta === null && { delta: undefined }),
    ...(usage !== undefined && { usage: toCounts(usage) }),
    ...(isObject(message) && { message: normalizeMessage(message) }),
    ...(typeof index === "string" && /^\d{1,6}$/.test(index) && { index: Number(index) }),
    ...(isObject(block) && { content_block: toCarriedBlock(block) }),
    ...(isObject(delta) && typeof delta.type === "string" && { delta: toKnownDelta(delta, delta.type) }),
  };
}

/** Corrects the token counts of a message, whole or at the start of a stream. */
export function normalizeMessage(message: JsonObject): JsonObject {
  return message.usage === undefined ? message : { ...message, usage: toCounts(message.usage) };
}

/** Returns a usage whose counts are numbers. A count that is none is left out. */
function toCounts(usage: unknown): unknown {
  if (!isObject(usage)) return undefined;
  const counts = Object.entries(usage).map((
    [name, value],
  ) => [name, COUNTS.has(name) ? toCount(value) : value]);
  return Object.fromEntries(counts.filter(([, value]) => value !== undefined));
}

const COUNTS = new Set(["input_tokens", "output_tokens"]);

function toCount(value: unknown): unknown {
  if (typeof value === "string" && /^\d{1,15}$/.test(value)) return Number(value);
  return typeof value === "number" || value === null ? value : undefined;
}

/** Types of deltas, and the member that holds what they add. */
const DELTA_FIELDS = new Map([
  ["text_delta", "text"],
  ["thinking_delta", "thinking"],
  ["input_json_delta", "partial_json"],
  ["signature_delta", "signature"],
]);

/** Names of deltas that some hosts shorten. */
const SHORT_NAMES = new Map([
  ["text", "text_delta"],
  ["thinking", "thinking_delta"],
  ["reasoning_delta", "thinking_delta"],
  ["input_json", "input_json_delta"],
]);

/** Returns a delta with the type and the member that Anthropic has for its content. */
function toKnownDelta(delta: JsonObject, given: string): JsonObject {
  const type = SHORT_NAMES.get(given) ?? given;
  const field = DELTA_FIELDS.get(type);
  if (field === undefined) {
    const meant = [...DELTA_FIELDS].find(([, name]) => typeof delta[name] === "string");
    return given === "citations_delta" || meant === undefined ? delta : { ...delta, type: meant[0] };
  }
  if (delta[field] !== undefined && delta[field] !== null) return { ...delta, type };
  const { type: _type, content, reasoning, text, ...rest } = delta;
  return { ...rest, type, [field]: content ?? reasoning ?? text ?? "" };
}

function toCarriedBlock(block: JsonObject): JsonObject {
  const { type } = block;
  if (type === "text" && block.text === null) return { ...block, text: "" };
  if (typeof type !== "string" || !UNCARRIED_TYPE.test(type)) return block;
  const text = `[The model returned a part of type "${type.slice(0, 64)}", which this API cannot carry]`;
  return { type: "text", text };
}
