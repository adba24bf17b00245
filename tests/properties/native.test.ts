import assert from "node:assert/strict";
import { test } from "node:test";
import { askUntilIdle } from "./ask.ts";
import fc from "fast-check";
import { cutBySizes, toBytes } from "../kit/bytes.ts";
import { foldEvents, parseEvents } from "../kit/events.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";
import { MODELS } from "../kit/requests/request.ts";

const RUNS = { seed: SEED, numRuns: 250 };

const plainText = fc.string({ unit: "grapheme", maxLength: 10 });
/** Fields that the API does not define. */
const extra = fc.dictionary(
  fc.oneof(
    fc.constantFrom("caller", "container", "x_new", "__proto__", "constructor"),
    fc.string().map((s) => `x${s}`),
  ),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 2 },
);

/** A block of a stream: its start, and its deltas. */
interface Streamed {
  start: Wire;
  deltas: Wire[];
}

const id = fc.uuid().map((id) => `toolu_${id}`);
const input = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });
const pieces = fc.tuple(input, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 })).map(
  ([value, sizes]) => {
    const text = JSON.stringify(value);
    let at = 0;
    const parts = sizes.map((size) => text.slice(at, at += size));
    return ["", ...parts, text.slice(at)].map((partial_json) => ({ type: "input_json_delta", partial_json }));
  },
);
const citation = extra.map((fields) => ({ ...fields, type: "web_search_result_location", cited_text: "c" }));

const block: fc.Arbitrary<Streamed> = fc.oneof(
  fc.record({
    start: fc.tuple(extra, fc.constantFrom({}, { citations: null }, { citations: [] })).map((
      [fields, cited],
    ) => ({
      ...fields,
      ...cited,
      type: "text",
      text: "",
    })),
    deltas: fc.array(fc.oneof(
      plainText.map((text) => ({ type: "text_delta", text })),
      citation.map((one) => ({ type: "citations_delta", citation: one })),
    )),
  }),
  fc.record({
    start: fc.constant({ type: "thinking", thinking: "", signature: "" }),
    deltas: fc.tuple(fc.array(plainText), fc.boolean()).map(([thoughts, signed]) => [
      ...thoughts.map((thinking) => ({ type: "thinking_delta", thinking })),
      ...(signed ? [{ type: "signature_delta", signature: "EqQB" }] : []),
    ]),
  }),
  fc.record({
    start: fc.constantFrom("EmwK", "openrouter.reasoning:e30=").map((data) => ({
      type: "redacted_thinking",
      data,
    })),
    deltas: fc.constant<Wire[]>([]),
  }),
  fc.record({
    start: fc.tuple(fc.constantFrom("tool_use", "server_tool_use"), id, extra).map(([type, id, fields]) => ({
      ...fields,
      type,
      id,
      name: "Read",
      input: {},
    })),
    deltas: pieces,
  }),
  fc.record({
    start: fc.tuple(
      fc.constantFrom(
        "web_search_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        "fallback",
        "block_of_a_later_day",
      ),
      extra,
    ).map(([type, fields]) => ({ ...fields, type, content: [{ type: "web_search_result", url: "u" }] })),
    deltas: fc.constant<Wire[]>([]),
  }),
  fc.record({
    start: extra.map((fields) => ({ ...fields, type: "compaction", content: null })),
    deltas: extra.map((fields) => [{ ...fields, type: "compaction_delta", content: "short" }]),
  }),
);

const counts = fc.record({
  cache_creation_input_tokens: fc.option(fc.nat()),
  cache_read_input_tokens: fc.option(fc.nat()),
  service_tier: fc.option(fc.constant("standard")),
  server_tool_use: fc.option(fc.record({ web_search_requests: fc.nat() })),
}, { requiredKeys: [] });

const answer = fc.record({
  head: fc.tuple(extra, fc.constantFrom("msg_01", "gen-1"), counts, fc.nat(9), fc.integer({ min: 1 })).map(
    ([fields, id, usage, output_tokens, input_tokens]) => ({
      ...fields,
      id,
      type: "message",
      role: "assistant",
      model: "claude-x",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...usage, input_tokens, output_tokens },
    }),
  ),
  blocks: fc.array(block, { maxLength: 5 }),
  /** Difference between two indexes of the upstream; 1 at Anthropic. */
  stride: fc.constantFrom(1, 1, 3),
  pings: fc.array(fc.nat(20), { maxLength: 3 }),
  unknownEvents: fc.array(fc.nat(20), { maxLength: 2 }),
  end: fc.record({
    delta: fc.tuple(
      extra,
      fc.constantFrom("end_turn", "tool_use", "max_tokens", "refusal", "reason_of_a_later_day"),
    )
      .map(([fields, stop_reason]) => ({ ...fields, stop_reason, stop_sequence: null })),
    usage: fc.tuple(counts, fc.nat()).map(([usage, output_tokens]) => ({ ...usage, output_tokens })),
    more: extra,
  }),
  openrouter: fc.boolean(),
  cuts: fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 6 }),
});
type NativeAnswer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

/** Returns the events that the upstream sends. */
function toSent({ head, blocks, stride, pings, unknownEvents, end, openrouter }: NativeAnswer): Wire[] {
  const foreign = openrouter ? { cost: 0.5, is_byok: false, cost_details: {} } : {};
  const events: Wire[] = [
    { type: "message_start", message: { ...head, ...(openrouter && { provider: "Anthropic" }) } },
    ...blocks.flatMap(({ start, deltas }, at) => [
      { type: "content_block_start", index: at * stride, content_block: start },
      ...deltas.map((delta) => ({ type: "content_block_delta", index: at * stride, delta })),
      { type: "content_block_stop", index: at * stride },
    ]),
  ];
  for (const at of pings) events.splice(1 + at % events.length, 0, { type: "ping" });
  for (const at of unknownEvents) {
    events.splice(1 + at % events.length, 0, { type: "event_of_a_later_day", at });
  }
  events.push(
    { ...end.more, type: "message_delta", delta: end.delta, usage: { ...end.usage, ...foreign } },
    { type: "message_stop" },
  );
  return JSON.parse(JSON.stringify(events));
}

/** Returns the events that the client must receive: those of the upstream with the documented repairs. */
function toExpected(sent: readonly Wire[]): Wire[] {
  const events: Wire[] = [];
  const indexes = new Map<number, number>();
  let signed = false;
  let skipped: number | undefined;
  let pinged = false;
  for (const event of sent) {
    const { type, index, content_block, message, usage } = event;
    if (index !== undefined && index === skipped) continue;
    switch (type) {
      case "message_start": {
        const { provider: _provider, ...rest } = message;
        events.push({
          type,
          message: { ...rest, model: MODELS.native, id: rest.id.replace(/^gen-.*/, "msg_") },
        });
        break;
      }
      case "content_block_start":
        // OpenRouter repeats a thought that was sent before with Anthropic's signature.
        if (signed && content_block.data?.startsWith("openrouter.reasoning:")) {
          skipped = index;
          break;
        }
        indexes.set(index, indexes.size);
        events.push({ type, index: indexes.get(index), content_block });
        if (!pinged) events.push({ type: "ping" });
        pinged = true;
        break;
      case "content_block_delta":
        signed ||= Boolean(event.delta.signature);
        events.push({ ...event, index: indexes.get(index) });
        break;
      case "content_block_stop":
        events.push({ ...event, index: indexes.get(index) });
        break;
      case "message_delta": {
        const { cost: _cost, is_byok: _byok, cost_details: _details, ...own } = usage;
        const denied = event.delta.stop_reason === "end_turn" &&
          sent.some(({ content_block }) => content_block?.type === "tool_use" && isDirect(content_block));
        const delta = denied ? { ...event.delta, stop_reason: "tool_use" } : event.delta;
        events.push({ ...event, delta, usage: own });
        break;
      }
      case "ping":
        pinged = true;
        events.push(event);
        break;
      default:
        events.push(event);
    }
  }
  return events;
}

/** True if the model makes a call itself; calls of its code are answered during the turn. */
function isDirect({ caller }: Wire): boolean {
  return typeof caller !== "object" || caller === null || Array.isArray(caller) || caller.type === "direct";
}

function toBody(events: readonly Wire[], openrouter: boolean): Uint8Array {
  const frames = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  return toBytes(frames.join("") + (openrouter ? "event: data\ndata: [DONE]\n\n" : ""));
}

/** Removes the random part of an id that the gateway generates if the upstream's is not in Anthropic's form. */
function withoutNewId(id: string): string {
  return id.replace(/^msg_[A-Za-z0-9]{24}$/, "msg_");
}

test("POST /v1/messages forwards a native stream unchanged except for documented repairs", async () => {
  await fc.assert(
    fc.asyncProperty(answer, async (given) => {
      const sent = toSent(given);
      const response = await askUntilIdle("native", cutBySizes(toBody(sent, given.openrouter), given.cuts), {
        stream: true,
      });
      const events = parseEvents(await response.text());
      assert.equal(
        checkGrammar(events.filter(({ type }) => type !== "event_of_a_later_day")),
        "message_stop",
      );
      events[0].message.id = withoutNewId(events[0].message.id);
      assert.deepEqual(events, toExpected(sent));
    }),
    RUNS,
  );
});

test("POST /v1/messages returns the fold of a native stream to a client that does not stream", async () => {
  await fc.assert(
    fc.asyncProperty(answer, async (given) => {
      const sent = toSent(given);
      const message =
        await (await askUntilIdle("native", cutBySizes(toBody(sent, given.openrouter), given.cuts), {}))
          .json();
      const expected = foldEvents(toExpected(sent));
      assert.deepEqual({ ...message, id: withoutNewId(message.id) }, expected);
    }),
    RUNS,
  );
});

test("POST /v1/messages returns the same message for a whole native message, streamed or whole", async () => {
  await fc.assert(
    fc.asyncProperty(answer, async (given) => {
      const { id: _id, ...message } = foldEvents(toExpected(toSent({ ...given, openrouter: false })));
      const whole = toBytes(JSON.stringify({ ...message, id: "msg_whole" }));
      const pieces = cutBySizes(whole, given.cuts);
      const single = await (await askUntilIdle("native", pieces, {}, "application/json")).json();
      assert.deepEqual(single, {
        ...message,
        id: "msg_whole",
        usage: JSON.parse(JSON.stringify(message.usage)),
      });
      const events = parseEvents(
        await (await askUntilIdle("native", pieces, { stream: true }, "application/json")).text(),
      );
      assert.equal(checkGrammar(events), "message_stop");
      assert.deepEqual(foldEvents(events), single);
    }),
    RUNS,
  );
});

test("POST /v1/messages forwards whole native messages with incomplete blocks", async () => {
  const blocks: Wire[] = [
    { type: "text" },
    { type: "text", text: null },
    { type: "thinking" },
    { type: "thinking", thinking: "hm" },
    { type: "tool_use", id: "toolu_1", name: "Read" },
    { type: "tool_use", id: "toolu_1", name: "Read", input: "{}" },
    { type: "redacted_thinking" },
  ];
  for (const block of blocks) {
    const pieces = [toBytes(JSON.stringify({ type: "message", content: [block], stop_reason: "end_turn" }))];
    const single = await (await askUntilIdle("native", pieces, {}, "application/json")).json();
    assert.deepEqual(single.content, [block.thinking === "hm" ? { ...block, signature: "" } : block]);
    const text = await (await askUntilIdle("native", pieces, { stream: true }, "application/json")).text();
    assert.equal(parseEvents(text).at(-1).type, "message_stop");
    for (const { delta } of parseEvents(text)) {
      if (delta?.type !== undefined) assert.ok(Object.keys(delta).length > 1, "a delta holds something");
    }
  }
});
