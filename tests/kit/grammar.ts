import assert from "node:assert/strict";
import { dig, isJson, type Wire } from "./json.ts";

/** End of a stream: complete, by an error event, or by neither. */
export type Ending = "message_stop" | "error" | "cut";

/** The types of delta that each type of block takes; other types of block take none. */
const DELTAS: Record<string, readonly string[]> = {
  text: ["text_delta", "citations_delta"],
  thinking: ["thinking_delta", "signature_delta"],
  tool_use: ["input_json_delta"],
  server_tool_use: ["input_json_delta"],
  mcp_tool_use: ["input_json_delta"],
  compaction: ["compaction_delta"],
};

/** The stop reasons with which the arguments of a tool call may be cut. */
const LIMITS = new Set<unknown>(["max_tokens", "model_context_window_exceeded"]);

/** The events that may follow `message_delta`. */
const AFTER_DELTA = ["message_stop", "ping", "error"];

interface Block {
  index: number;
  type: string;
  /** The types of the deltas so far. */
  deltas: string[];
  input: string;
}

/**
 * Checks that events keep the grammar of Anthropic's streams, and returns how they end.
 *
 * It follows the documentation of the API only and shares no code with the gateway. Unknown events and deltas are
 * errors. Source: https://platform.claude.com/docs/en/build-with-claude/streaming
 */
export function checkGrammar(events: readonly Wire[]): Ending {
  let started = false;
  let open: Block | undefined;
  const inputs: string[] = [];
  const ids = new Set<string>();
  let next = 0;
  let stopReason: unknown;
  let ending: Ending = "cut";

  for (const [at, event] of events.entries()) {
    const check = (holds: unknown, what: string) => {
      assert.ok(holds, `event ${at} (${event.type}): ${what}: ${JSON.stringify(event).slice(0, 300)}`);
    };
    check(ending === "cut", `comes after ${ending}`);
    check(started || event.type === "message_start", "comes before message_start");
    const stopped = stopReason !== undefined;
    check(!stopped || AFTER_DELTA.includes(event.type), "comes after message_delta");
    switch (event.type) {
      case "message_start":
        check(!started, "is the second one");
        started = true;
        checkStart(event.message, check);
        break;
      case "content_block_start": {
        const type = dig(event, "content_block", "type");
        check(open === undefined, "the block before is still open");
        check(event.index === next, `its index is not ${next}`);
        check(typeof type === "string", "the block has no type");
        checkBlock(event.content_block, ids, check);
        open = { index: next++, type: String(type), deltas: [], input: "" };
        break;
      }
      case "content_block_delta": {
        check(open !== undefined && event.index === open.index, "its block is not open");
        if (open === undefined) break;
        const type = String(dig(event, "delta", "type"));
        check(DELTAS[open.type]?.includes(type), `no delta for a block of type "${open.type}"`);
        check(!open.deltas.includes("signature_delta"), "comes after the signature");
        checkDelta(event.delta, check);
        open.deltas.push(type);
        if (type === "input_json_delta") open.input += event.delta.partial_json;
        break;
      }
      case "content_block_stop":
        check(open !== undefined && event.index === open.index, "its block is not open");
        if (open?.deltas.includes("input_json_delta")) inputs.push(open.input);
        open = undefined;
        break;
      case "message_delta":
        check(open === undefined, "a block is still open");
        stopReason = dig(event, "delta", "stop_reason");
        check(typeof stopReason === "string" && stopReason !== "", "has no stop_reason");
        check(isCount(dig(event, "usage", "output_tokens")), "has no number of output_tokens");
        check(isCount(dig(event, "usage", "input_tokens") ?? 0), "input_tokens is no number");
        break;
      case "message_stop":
        check(stopped, "comes before message_delta");
        ending = "message_stop";
        break;
      case "error":
        check(typeof dig(event, "error", "type") === "string", "has no error.type");
        check(typeof dig(event, "error", "message") === "string", "has no error.message");
        check(String(event.request_id).startsWith("req_"), "has no request_id");
        ending = "error";
        break;
      case "ping":
        break;
      default:
        check(false, "is no event of the API");
    }
  }
  if (ending !== "message_stop" || LIMITS.has(stopReason)) return ending;
  // Anthropic sends an empty string as the arguments of a call without arguments.
  for (const input of inputs) {
    assert.ok(
      input === "" || isOneObject(input),
      `Cannot read arguments "${input}": they are not one JSON object`,
    );
  }
  return ending;
}

/** Checks the grammar of a stream that must have an end, and returns it. */
export function checkComplete(events: readonly Wire[]): Exclude<Ending, "cut"> {
  const ending = checkGrammar(events);
  assert.ok(ending !== "cut", "the stream ends with neither message_stop nor error");
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

/** Checks the start of a block: fields that arrive in deltas start empty. */
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
      check(/^[a-zA-Z0-9_-]+$/.test(id), "the call's id is not valid");
      check(!ids.has(id), "the call's id is not the first of its kind");
      ids.add(id);
      check(typeof dig(block, "name") === "string" && dig(block, "name") !== "", "the call names no tool");
      // A call by Anthropic's code execution is complete in its start.
      const direct = (dig(block, "caller", "type") ?? "direct") === "direct";
      check(!direct || JSON.stringify(dig(block, "input")) === "{}", "the input does not begin as {}");
      break;
    }
  }
}

/** The field that each type of delta must have. */
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
