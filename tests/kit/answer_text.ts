import assert from "node:assert/strict";
import type { WireEvent } from "./events.ts";
import { count, dig, isJson, type Json, objects, text } from "./json.ts";

/** A tool call as it was told: what it is named, and the value of its arguments. */
export interface ToldCall {
  name: string;
  input: unknown;
}

/** Token counts in Anthropic's sense: `input` leaves out what the cache was read for or written. */
export interface ToldUsage {
  input: number;
  output: number;
  read: number;
  written: number;
}

/** What an answer says, whatever the language and the number of pieces it says it in. */
export interface Told {
  text: string;
  thinking: string;
  calls: ToldCall[];
  stop: string;
  /** Nothing, where nobody counted. */
  usage: ToldUsage | undefined;
}

/** Reads what a message of Anthropic's API says. */
export function toldByMessage(message: Json): Told {
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

/**
 * Folds the events of a stream into its message, as a client does.
 *
 * It takes whatever blocks and fields there are; a second `message_start`, and what follows `message_stop`, count for
 * nothing. Arguments that are no
 * JSON, because the message was cut, leave the input as the block's start had it.
 */
export function foldEvents(events: readonly WireEvent[]): Json {
  let message: Json | undefined;
  const blocks = new Map<unknown, Json>();
  const inputs = new Map<unknown, string>();
  for (const { event, data } of events) {
    if (event === "message_stop") break;
    if (event === "message_start") {
      if (isJson(data.message)) message ??= { ...data.message };
    } else if (event === "content_block_start") {
      if (isJson(data.content_block)) blocks.set(data.index, { ...data.content_block });
    } else if (event === "content_block_delta") {
      const block = blocks.get(data.index);
      assert.ok(block && isJson(data.delta), "a delta without a block");
      const { type, ...delta } = data.delta;
      if (type === "input_json_delta") {
        inputs.set(data.index, text(inputs.get(data.index)) + text(delta.partial_json));
      } else if (type === "citations_delta") block.citations = [...objects(block.citations), delta.citation];
      else if (type === "signature_delta") block.signature = delta.signature;
      else if (type === "compaction_delta") Object.assign(block, delta);
      else {for (const [field, piece] of Object.entries(delta)) {
          block[field] = text(block[field]) + text(piece);
        }}
    } else if (event === "message_delta") {
      const { type: _type, delta, usage, ...rest } = data;
      Object.assign(message ?? {}, delta, rest, { usage: join(message?.usage, usage) });
    }
  }
  assert.ok(message, "a stream without a message");
  for (const [index, input] of inputs) {
    const block = blocks.get(index);
    if (block && input !== "") block.input = toValue(input) ?? block.input;
  }
  return { ...message, content: [...blocks.values()] };
}

/** Token counts are cumulative: later ones replace earlier ones where they say something. */
function join(earlier: unknown, later: unknown): Json {
  const said = isJson(later) ? Object.entries(later).filter(([, value]) => value !== null) : [];
  return { ...(isJson(earlier) ? earlier : {}), ...Object.fromEntries(said) };
}

function toValue(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    return undefined;
  }
}
