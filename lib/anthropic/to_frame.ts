import type { ErrorBody } from "../base/errors.ts";
import type { BlockDelta, StreamEvent } from "./events.ts";

/** A kind of delta that has a text: its field, and its JSON up to the text. */
interface TextDelta {
  field: string;
  start: string;
}

function createTextDelta(type: string, field: string): TextDelta {
  return { field, start: `,"delta":{"type":"${type}","${field}":` };
}

const TEXT = createTextDelta("text_delta", "text");
const THINKING = createTextDelta("thinking_delta", "thinking");
const INPUT = createTextDelta("input_json_delta", "partial_json");

/** Returns the kind of a delta. A `switch` takes less time than a `Map`. */
function findTextDelta(type: string): TextDelta | undefined {
  switch (type) {
    case "text_delta":
      return TEXT;
    case "thinking_delta":
      return THINKING;
    case "input_json_delta":
      return INPUT;
    default:
      return undefined;
  }
}

/** Names of events that can be written as they are. An upstream may name its events freely. */
const PLAIN_NAME = /^\w+$/;

/**
 * Returns an event as a frame of a `text/event-stream`.
 *
 * @example Usage
 * ```ts
 * import { toFrame } from "./to_frame.ts";
 *
 * if (toFrame({ type: "ping" }) !== 'event: ping\ndata: {"type":"ping"}\n\n') throw new Error("another frame");
 * ```
 */
export function toFrame(event: StreamEvent | ErrorBody): string {
  if (event.type === "content_block_delta") {
    const frame = toDeltaFrame(event);
    if (frame !== undefined) return frame;
  }
  const type: string = event.type;
  // A line break in a name would corrupt the stream.
  const name = PLAIN_NAME.test(type) ? type : type.replace(/[\r\n]+/g, " ");
  return `event: ${name}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Returns the frame of a delta that has only its text, as nearly all have, in half the time of `JSON.stringify()`. */
function toDeltaFrame({ index, delta }: BlockDelta): string | undefined {
  const kind = findTextDelta(delta.type);
  if (kind === undefined) return undefined;
  const { field, start } = kind;
  for (const name in delta) if (name !== "type" && name !== field) return undefined;
  const text = delta[field];
  if (typeof text !== "string") return undefined;
  return DELTA_START + index + start + JSON.stringify(text) + "}}\n\n";
}

const DELTA_START = 'event: content_block_delta\ndata: {"type":"content_block_delta","index":';
