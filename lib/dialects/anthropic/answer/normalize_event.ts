import { isObject, type JsonObject } from "../../../base/json.ts";

/** Types of blocks that Anthropic's answers never have, and that no client can show. */
const UNCARRIED_TYPE = /^(image|audio|video|document|file|input_|output_)/;

/**
 * Corrects an event of a host that imitates Anthropic's API: an index that is a text becomes a number, and an image or
 * another attachment a note in its place.
 */
export function normalizeEvent(event: JsonObject): JsonObject {
  const { index, content_block: block } = event;
  return {
    ...event,
    ...(typeof index === "string" && /^\d{1,6}$/.test(index) && { index: Number(index) }),
    ...(isObject(block) && { content_block: toCarriedBlock(block) }),
  };
}

function toCarriedBlock(block: JsonObject): JsonObject {
  const { type } = block;
  if (typeof type !== "string" || !UNCARRIED_TYPE.test(type)) return block;
  const text = `[The model returned a part of type "${type.slice(0, 64)}", which this API cannot carry]`;
  return { type: "text", text };
}
