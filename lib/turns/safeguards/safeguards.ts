import type { Ask } from "../../anthropic/ask.ts";
import type { MessageDelta, StreamEvent } from "../../anthropic/events.ts";
import type { MessagesRequest } from "../../anthropic/schema.ts";
import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import { findExcess } from "../../base/json_bounds.ts";

/** Type of the safeguard that Claude Code's auto mode asks for: a verdict on each tool call. */
const DANGEROUS_TOOL_USE = "dangerous_tool_use";

/** Maximum calls of one answer that are judged. The client decides about further calls. */
const MAX_JUDGED_CALLS = 16;

/** Maximum characters of a call's arguments. A longer call is not judged: a verdict needs the whole call. */
const MAX_INPUT_CHARS = 64 * 1024;

/** A tool call to judge. */
export interface JudgedCall {
  name: string;
  input: JsonObject;
}

/** The verdict on a call, as the client reads it. */
export type Verdict =
  | { type: "evaluated"; outcome: "not_flagged" }
  | { type: "evaluated"; outcome: "flagged"; explanation: string };

/** Judges a call. Returns `undefined` if it has no verdict, never a guess. */
export type Judge = (
  call: JudgedCall,
  conversation: { request: MessagesRequest; safeguard: JsonObject },
) => Promise<Verdict | undefined>;

/**
 * Answers a request for `safeguards` with `safeguard_results`: the upstream's verdicts, and those of `judge` on calls
 * that the upstream did not judge. A call without a verdict is absent, so that the client checks it or asks its user.
 *
 * Without this field, Claude Code shows a notice about the gateway, or runs no command in auto mode.
 * Source: https://code.claude.com/docs/en/llm-gateway-protocol
 */
export function withSafeguards(ask: Ask, judge?: Judge): Ask {
  return (request) => {
    const safeguard = findSafeguard(request);
    if (safeguard === undefined) return ask(request);
    const judgeCall = judge && ((call: JudgedCall) => judge(call, { request, safeguard }));
    return judgeCalls(ask(request), judgeCall);
  };
}

async function* judgeCalls(
  batches: AsyncGenerator<StreamEvent[]>,
  judgeCall: ((call: JudgedCall) => Promise<Verdict | undefined>) | undefined,
): AsyncGenerator<StreamEvent[]> {
  const calls = new CallReader();
  for await (const batch of batches) {
    const at = batch.findIndex(({ type }) => type === "message_delta");
    const before = at < 0 ? batch : batch.slice(0, at);
    if (before.length > 0) {
      for (const event of before) calls.read(event);
      yield before;
    }
    const [end, ...after] = at < 0 ? [] : batch.slice(at);
    if (end?.type !== "message_delta") continue;
    yield [await addResults(end, calls.complete, judgeCall), ...after];
  }
}

function findSafeguard({ safeguards }: MessagesRequest): JsonObject | undefined {
  const requested: unknown[] = Array.isArray(safeguards) ? safeguards : [];
  return requested.filter(isObject).find(({ type }) => type === DANGEROUS_TOOL_USE);
}

/** Adds the results to the last event of a message. */
async function addResults(
  end: MessageDelta,
  calls: ReadonlyMap<string, JudgedCall>,
  judge: ((call: JudgedCall) => Promise<Verdict | undefined>) | undefined,
): Promise<MessageDelta> {
  const given = end.delta.safeguard_results;
  const results: unknown[] = Array.isArray(given) ? given : [];
  const upstream = results.filter(isObject).find(({ type }) => type === DANGEROUS_TOOL_USE);
  const status = isObject(upstream?.status) ? upstream.status : { type: "unsupported" };
  const judged = status.type === "available" && isObject(status.tool_uses) ? status.tool_uses : {};
  const missing = judge === undefined
    ? []
    : [...calls].filter(([id]) => !Object.hasOwn(judged, id)).slice(0, MAX_JUDGED_CALLS);
  const verdicts = await Promise.all(missing.map(async ([id, call]) => [id, await judge?.(call)] as const));
  const found = verdicts.filter(([, verdict]) => verdict !== undefined);
  // The upstream's own statement stays, unless it is that nobody there judges calls.
  if (found.length === 0 && upstream !== undefined && status.type !== "unsupported") return end;
  const tool_uses = Object.fromEntries([...Object.entries(judged), ...found]);
  const result = { type: DANGEROUS_TOOL_USE, status: { type: "available", tool_uses } };
  const others = results.filter((one) => !isObject(one) || one.type !== DANGEROUS_TOOL_USE);
  return { ...end, delta: { ...end.delta, safeguard_results: [...others, result] } };
}

/** Collects the client's tool calls of an answer, by id. */
class CallReader {
  /** Calls whose arguments are complete. */
  readonly complete = new Map<string, JudgedCall>();
  readonly #ids = new Set<string>();
  #open: { id: string; name: string; input: unknown; json: string } | undefined;

  read(event: StreamEvent): void {
    if (event.type === "content_block_start") {
      const { type, id, name, input } = event.content_block;
      this.#open = type === "tool_use" ? { id: String(id), name: String(name), input, json: "" } : undefined;
    } else if (event.type === "content_block_delta" && this.#open !== undefined) {
      const { partial_json: json } = event.delta;
      if (typeof json === "string" && this.#open.json.length <= MAX_INPUT_CHARS) this.#open.json += json;
    } else if (event.type === "content_block_stop" && this.#open !== undefined) {
      const { id, name, json } = this.#open;
      const input = json === ""
        ? this.#open.input
        : findExcess(json) === undefined
        ? tryJson(json)
        : undefined;
      this.#open = undefined;
      // Two calls with one id could not be told apart: a verdict on one would count for both.
      if (this.#ids.has(id)) this.complete.delete(id);
      else if (isObject(input) && json.length <= MAX_INPUT_CHARS) this.complete.set(id, { name, input });
      this.#ids.add(id);
    }
  }
}
