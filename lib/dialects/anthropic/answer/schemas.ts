import * as v from "valibot";
import type { StreamEvent } from "../../../anthropic/events.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import { unreadableAnswer } from "../../errors/unreadable.ts";

/** Fields read from an upstream's events; all other fields are passed on. */
export const Counts = v.looseObject({
  input_tokens: v.nullish(v.number()),
  output_tokens: v.nullish(v.number()),
});
export type Counts = v.InferOutput<typeof Counts>;

const Block = v.looseObject({ type: v.string() });
/** A block or a delta of an upstream. */
export type Block = v.InferOutput<typeof Block>;

/** A message, whole or at the start of a stream. */
export const MessageSchema = v.looseObject({
  id: v.nullish(v.string()),
  content: v.nullish(v.union([v.array(Block), v.string()])),
  stop_reason: v.nullish(v.string()),
  stop_sequence: v.nullish(v.string()),
  usage: v.nullish(Counts),
});
export type MessageFields = v.InferOutput<typeof MessageSchema>;

export const MessageStart = v.looseObject({ message: MessageSchema });
export const BlockStart = v.looseObject({ index: v.optional(v.number()), content_block: Block });
export const BlockDelta = v.looseObject({ index: v.optional(v.number()), delta: Block });
export const BlockStop = v.looseObject({ index: v.optional(v.number()) });
export const MessageDelta = v.looseObject({
  delta: v.optional(v.looseObject({
    stop_reason: v.nullish(v.string()),
    stop_sequence: v.nullish(v.string()),
  })),
  usage: v.nullish(Counts),
});
export type MessageDelta = v.InferOutput<typeof MessageDelta>;

/** True for the delta of a block, as the schema {@linkcode BlockDelta} has it, in a tenth of the schema's time. */
export function isBlockDelta(json: JsonObject): json is v.InferOutput<typeof BlockDelta> {
  const { index, delta } = json;
  return (index === undefined || typeof index === "number") && isObject(delta) &&
    typeof delta.type === "string";
}

/** Checks the fields of an event. @throws {ApiError} `api_error` if one is missing or invalid. */
export function parseEvent<T>(schema: v.GenericSchema<T>, json: JsonObject): T {
  if (v.is(schema, json)) return json;
  throw unreadableAnswer(`event "${String(json.type).slice(0, 64)}" has a missing or invalid field`);
}

/** Returns the event for the client of an event that the gateway does not know. */
export function toUnknownEvent(type: string, json: JsonObject): StreamEvent {
  // The literal type stands for any other string, as in `OtherEvent`.
  return { ...json, type: type as "(unknown)" };
}
