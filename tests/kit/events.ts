import assert from "node:assert/strict";
import { isJson, type Json } from "./json.ts";

/** One event as it stood in a stream. */
export interface WireEvent {
  event: string;
  data: Json;
}

/**
 * Parses a stream of the gateway's, with less patience than any client: every frame is one `event:` line, one
 * `data:` line with a JSON object, and an empty line.
 */
export function parseEvents(stream: string): WireEvent[] {
  assert.ok(stream === "" || stream.endsWith("\n\n"), "the stream ends in the middle of a frame");
  return stream.split("\n\n").slice(0, -1).map((frame) => {
    const [, event = "", json = ""] = /^event: (\w+)\ndata: ([^\r\n]*)$/.exec(frame) ?? [];
    assert.ok(event !== "", `Cannot read frame "${frame}": it is not one event line and one data line`);
    const data: unknown = JSON.parse(json);
    assert.ok(isJson(data), `Cannot read frame "${frame}": its data is no JSON object`);
    return { event, data };
  });
}
