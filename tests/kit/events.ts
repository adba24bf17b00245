import assert from "node:assert/strict";
import { isJson, objects, text, type Wire } from "./json.ts";

/**
 * Reads the events of a `text/event-stream` body more strictly than any client: each frame is one `event:` line, one
 * `data:` line with a JSON object, and an empty line. The name of the event is the `type` of its data.
 */
export function parseEvents(body: string): Wire[] {
  assert.ok(body === "" || body.endsWith("\n\n"), "the stream ends in the middle of a frame");
  return body.split("\n\n").slice(0, -1).map((frame) => {
    const [, name, json = ""] = /^event: ([^\r\n]+)\ndata: ([^\r\n]*)$/.exec(frame) ?? [];
    const start = JSON.stringify(frame.slice(0, 200));
    assert.ok(name !== undefined, `Cannot read frame ${start}: it is not one event line and one data line`);
    const data: unknown = JSON.parse(json);
    assert.ok(isJson(data), `Cannot read frame ${start}: its data is no JSON object`);
    assert.equal(data.type, name, `the event's name is not the type of its data in ${start}`);
    return data;
  });
}

/**
 * Folds the events of a stream into its message, as the documentation of the API describes it.
 *
 * It accepts all blocks and fields. It ignores a second `message_start` and everything after `message_stop`. If the
 * arguments of a call are not JSON, because the message was cut, the input is that of the block's start.
 */
export function foldEvents(events: readonly Wire[]): Wire {
  let message: Wire;
  const blocks = new Map<unknown, Wire>();
  const inputs = new Map<unknown, string>();
  for (const event of events) {
    if (event.type === "message_stop") break;
    if (event.type === "message_start") message ??= { ...event.message };
    else if (event.type === "content_block_start") blocks.set(event.index, { ...event.content_block });
    else if (event.type === "content_block_delta") {
      const block = blocks.get(event.index);
      assert.ok(block && isJson(event.delta), "a delta without a block");
      if (event.delta.type === "input_json_delta") {
        inputs.set(event.index, text(inputs.get(event.index)) + text(event.delta.partial_json));
      } else blocks.set(event.index, addDelta(block, event.delta));
    } else if (event.type === "message_delta") {
      const { type: _type, delta, usage, ...rest } = event;
      message = { ...message, ...delta, ...rest, usage: joinUsage(message?.usage, usage) };
    }
  }
  assert.ok(message, "a stream without a message");
  for (const [index, input] of inputs) {
    const block = blocks.get(index);
    if (block && input !== "") block.input = tryParse(input) ?? block.input;
  }
  return { ...message, content: [...blocks.values()] };
}

function addDelta(block: Wire, { type, ...delta }: Wire): Wire {
  switch (type) {
    case "citations_delta":
      return { ...block, citations: [...objects(block.citations), delta.citation] };
    case "signature_delta":
      return { ...block, signature: delta.signature };
    case "compaction_delta":
      return { ...block, ...delta };
    default: {
      const pieces = Object.entries(delta).map(([field, piece]) => [field, text(block[field]) + text(piece)]);
      return { ...block, ...Object.fromEntries(pieces) };
    }
  }
}

/** Token counts are cumulative: later ones replace earlier ones, unless they are null. */
function joinUsage(earlier: Wire, later: Wire): Wire {
  const counts = Object.entries(later ?? {}).filter(([, value]) => value !== null);
  return { ...earlier, ...Object.fromEntries(counts) };
}

function tryParse(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
}
