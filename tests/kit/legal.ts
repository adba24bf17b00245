import assert from "node:assert/strict";
import type { WireEvent } from "./events.ts";
import { dig, isJson } from "./json.ts";

/** How a legal stream ends: told to its end, or broken off by an error that it reports. */
export type Ending = "message_stop" | "error";

/** The deltas that fit a block; other kinds of block take none. */
const DELTAS: Record<string, readonly string[]> = {
  text: ["text_delta", "citations_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
  server_tool_use: ["input_json_delta"],
  mcp_tool_use: ["input_json_delta"],
  compaction: ["compaction_delta"],
};

/** Reasons to stop after which the arguments of a tool call may be cut. */
const CUT = new Set<unknown>(["max_tokens", "model_context_window_exceeded"]);

interface Block {
  index: number;
  kind: string;
  /** The deltas so far, by type. */
  deltas: string[];
  input: string;
}

/**
 * Checks that events keep the grammar of Anthropic's streams, and tells how they end.
 *
 * Written from the description of the API alone, without a line of the gateway's: what it does not know is an error.
 * Source: https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export function assertLegal(events: readonly WireEvent[]): Ending {
  let started = false;
  let open: Block | undefined;
  const inputs: string[] = [];
  const ids = new Set<string>();
  let next = 0;
  let stopReason: unknown;
  let ending: Ending | undefined;

  for (const [at, { event, data }] of events.entries()) {
    const check = (holds: unknown, what: string) => {
      assert.ok(holds, `event ${at} (${event}): ${what}: ${JSON.stringify(data).slice(0, 300)}`);
    };
    check(event === data.type, "the event's name is not the type of its data");
    check(ending === undefined, `comes after ${ending}`);
    check(started || event === "message_start", "comes before message_start");
    const told = stopReason !== undefined;
    check(!told || ["message_delta", "message_stop", "ping"].includes(event), "comes after message_delta");
    switch (event) {
      case "message_start":
        check(!started, "is the second one");
        started = true;
        checkStart(data.message, check);
        break;
      case "content_block_start": {
        const kind = dig(data, "content_block", "type");
        check(open === undefined, "the block before is still open");
        check(data.index === next, `its index is not ${next}`);
        check(typeof kind === "string", "the block has no type");
        checkBlock(data.content_block, ids, check);
        open = { index: next++, kind: String(kind), deltas: [], input: "" };
        break;
      }
      case "content_block_delta": {
        check(open !== undefined && data.index === open.index, "its block is not open");
        if (open === undefined) break;
        const type = String(dig(data, "delta", "type"));
        check(DELTAS[open.kind]?.includes(type), `no delta for a block of type "${open.kind}"`);
        check(!open.deltas.includes("signature_delta"), "comes after the signature");
        checkDelta(data.delta, check);
        open.deltas.push(type);
        if (type === "input_json_delta") open.input += dig(data, "delta", "partial_json");
        break;
      }
      case "content_block_stop":
        check(open !== undefined && data.index === open.index, "its block is not open");
        if (open?.deltas.includes("input_json_delta")) inputs.push(open.input);
        open = undefined;
        break;
      case "message_delta":
        check(open === undefined, "a block is still open");
        stopReason = dig(data, "delta", "stop_reason");
        check(typeof stopReason === "string" && stopReason !== "", "has no stop_reason");
        check(isCount(dig(data, "usage", "output_tokens")), "has no number of output_tokens");
        check(isCount(dig(data, "usage", "input_tokens") ?? 0), "input_tokens is no number");
        break;
      case "message_stop":
        check(told, "comes before message_delta");
        ending = "message_stop";
        break;
      case "error":
        check(typeof dig(data, "error", "type") === "string", "has no error.type");
        check(typeof dig(data, "error", "message") === "string", "has no error.message");
        check(String(data.request_id).startsWith("req_"), "has no request_id");
        ending = "error";
        break;
      case "ping":
        break;
      default:
        check(false, "is no event of the API");
    }
  }
  assert.ok(ending !== undefined, "the stream ends with neither message_stop nor error");
  if (ending === "error" || CUT.has(stopReason)) return ending;
  // Anthropic says a call without arguments as the empty text.
  for (const input of inputs) {
    assert.ok(
      input === "" || isOneObject(input),
      `Cannot read arguments "${input}": they are not one JSON object`,
    );
  }
  return ending;
}

type Check = (holds: unknown, what: string) => void;

function checkStart(message: unknown, check: Check): void {
  check(/^msg_\w+$/.test(String(dig(message, "id"))), "the message has no id of Anthropic's form");
  check(dig(message, "type") === "message" && dig(message, "role") === "assistant", "is no message");
  check(typeof dig(message, "model") === "string", "names no model");
  const content = dig(message, "content");
  check(Array.isArray(content) && content.length === 0, "its content is not []");
  check(dig(message, "stop_reason") === null, "its stop_reason is not null");
  check(dig(message, "stop_sequence") === null, "its stop_sequence is not null");
  check(isCount(dig(message, "usage", "input_tokens")), "has no number of input_tokens");
  check(isCount(dig(message, "usage", "output_tokens")), "has no number of output_tokens");
}

/** Checks how a block begins: what streams begins empty. */
function checkBlock(block: unknown, ids: Set<string>, check: Check): void {
  switch (dig(block, "type")) {
    case "text":
      check(dig(block, "text") === "", "text does not begin empty");
      break;
    case "thinking":
      check(dig(block, "thinking") === "", "thinking does not begin empty");
      check(dig(block, "signature") === "", "the signature does not begin empty");
      break;
    case "tool_use":
    case "server_tool_use": {
      const id = String(dig(block, "id"));
      check(/^[a-zA-Z0-9_-]+$/.test(id), "the call's id is not legal");
      check(!ids.has(id), "the call's id is not the first of its kind");
      ids.add(id);
      check(typeof dig(block, "name") === "string" && dig(block, "name") !== "", "the call names no tool");
      // A call that Anthropic's own code execution makes comes whole, in its start.
      const direct = (dig(block, "caller", "type") ?? "direct") === "direct";
      check(!direct || JSON.stringify(dig(block, "input")) === "{}", "the input does not begin as {}");
      break;
    }
  }
}

/** The field of each delta that has to be there. */
const VALUES: Record<string, string> = {
  text_delta: "text",
  thinking_delta: "thinking",
  signature_delta: "signature",
  input_json_delta: "partial_json",
};

function checkDelta(delta: unknown, check: Check): void {
  const field = VALUES[String(dig(delta, "type"))];
  check(field === undefined || typeof dig(delta, field) === "string", `its ${field} is no text`);
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

function isOneObject(input: string): boolean {
  try {
    return isJson(JSON.parse(input));
  } catch {
    return false;
  }
}
