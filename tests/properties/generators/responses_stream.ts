import fc from "fast-check";
import { unseal } from "../../../lib/dialects/sealed.ts";
import type { Wire } from "../../kit/json.ts";
import { MODELS } from "../../kit/requests/request.ts";

/** A response of some host, and the message that it contains. */
export interface ResponsesAnswer {
  body: string;
  message: { content: Wire[]; stop_reason: string; usage: Wire };
}

/** The way in which a host sends its items: which of the events that repeat the same content. */
interface ItemEncoding {
  /** `response.output_item.added`. */
  added: boolean;
  deltas: boolean;
  /** The events that end a part. */
  partsDone: boolean;
  /** `response.output_item.done`. */
  done: boolean;
  /** The items in the last event. */
  output: boolean;
  ids: "stable" | "rotating" | "none";
  indexes: boolean;
  /** Items begin while others are open. */
  overlaps: boolean;
  eventNames: boolean;
  framing: { end: "\n" | "\r\n" | "\r"; comments: number[]; doneMark: boolean };
}

/** Text of one part, cut into pieces of this size. */
const part = fc.tuple(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), fc.nat(4)).map(
  ([text, size]) => ({ text: `${text}.`, size: size + 1 }),
);
const item = fc.oneof(
  fc.record({
    type: fc.constant("message" as const),
    kind: fc.constantFrom("output_text", "output_text", "refusal"),
    parts: fc.array(part, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({
    type: fc.constant("reasoning" as const),
    kind: fc.constantFrom("summary", "content"),
    parts: fc.array(part, { maxLength: 2 }),
    secret: fc.option(fc.uuid()),
  }),
  fc.record({
    type: fc.constant("function_call" as const),
    id: fc.oneof(fc.uuid().map((id) => `call_${id}`), fc.constantFrom("functions.add:0", "call_0", "é/x")),
    name: fc.constantFrom("Read", "Grep"),
    args: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }).map((args) =>
      JSON.stringify(args)
    ),
    size: fc.integer({ min: 1, max: 6 }),
  }),
);
type Item = typeof item extends fc.Arbitrary<infer T> ? T : never;

const encoding: fc.Arbitrary<ItemEncoding> = fc.record({
  added: fc.boolean(),
  deltas: fc.boolean(),
  partsDone: fc.boolean(),
  done: fc.boolean(),
  output: fc.boolean(),
  ids: fc.constantFrom("stable", "rotating", "none"),
  indexes: fc.boolean(),
  overlaps: fc.boolean(),
  eventNames: fc.boolean(),
  framing: fc.record({
    end: fc.constantFrom("\n", "\r\n", "\r"),
    comments: fc.array(fc.nat(12), { maxLength: 4 }),
    doneMark: fc.boolean(),
  }),
}).map((given) => {
  // Each item is announced or completed by an event, or all are in the last event only.
  const silent = !given.added && !given.done;
  const output = given.output || !given.done;
  const indexes = given.indexes || given.overlaps || silent;
  return { ...given, output, indexes, ...(silent && { deltas: false, partsDone: false }) };
});

const script = fc.record({
  items: fc.array(item, { maxLength: 5 }),
  encoding,
  picks: fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
  limit: fc.constantFrom("none", "none", "max_output_tokens", "content_filter"),
  usage: fc.record({
    input: fc.integer({ min: 40, max: 9999 }),
    read: fc.integer({ min: 0, max: 20 }),
    written: fc.integer({ min: 0, max: 20 }),
    output: fc.nat(9999),
    thinking: fc.nat(99),
  }),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

/** Streams of responses in every known form of hosts. */
export const responsesStream: fc.Arbitrary<ResponsesAnswer> = script.map((given) => ({
  body: frame(toEvents(given), given.encoding),
  message: toMessage(given),
}));

/** Responses that are not streamed. */
export const responsesWhole: fc.Arbitrary<ResponsesAnswer> = script.map((given) => ({
  body: JSON.stringify(toResponse({ ...given, encoding: { ...given.encoding, output: true } })),
  message: toMessage(given),
}));

function toMessage({ items, limit, usage }: Script): ResponsesAnswer["message"] {
  const content = items.flatMap((one): Wire[] => {
    switch (one.type) {
      case "message":
        return [{ type: "text", text: one.parts.map(({ text }) => text).join("") }];
      case "reasoning": {
        const sealed = toSealed(one);
        const thinking = one.parts.map(({ text }) => text).join("\n\n");
        if (thinking !== "") return [{ type: "thinking", thinking, sealed }];
        return one.secret === null ? [] : [{ type: "redacted_thinking", sealed }];
      }
      case "function_call":
        return [{ type: "tool_use", id: one.id, name: one.name, input: JSON.parse(one.args) }];
    }
  });
  const calls = items.some(({ type }) => type === "function_call");
  const refused = items.some((one) => one.type === "message" && one.kind === "refusal");
  const usual = calls ? "tool_use" : refused ? "refusal" : "end_turn";
  const reasons = { none: usual, max_output_tokens: "max_tokens", content_filter: "refusal" };
  return {
    content,
    stop_reason: reasons[limit],
    usage: {
      input_tokens: usage.input - usage.read - usage.written,
      cache_read_input_tokens: usage.read,
      cache_creation_input_tokens: usage.written,
      output_tokens: usage.output,
      ...(usage.thinking > 0 && { output_tokens_details: { thinking_tokens: usage.thinking } }),
    },
  };
}

/** Returns the fields of a reasoning item that the next turn must contain. */
function toSealed({ kind, parts, secret }: Extract<Item, { type: "reasoning" }>): Wire {
  const texts = (type: string) => parts.map(({ text }) => ({ type, text }));
  return {
    field: "responses",
    type: "reasoning",
    summary: kind === "summary" ? texts("summary_text") : [],
    ...(kind === "content" && parts.length > 0 && { content: texts("reasoning_text") }),
    ...(secret !== null && { encrypted_content: secret }),
  };
}

/** Returns the complete item as hosts repeat it. */
function toWhole(one: Item, nth: number): Wire {
  switch (one.type) {
    case "message": {
      const field = one.kind === "refusal" ? "refusal" : "text";
      const content = one.parts.map(({ text }) => ({ type: one.kind, [field]: text }));
      return { id: `msg_${nth}`, type: "message", status: "completed", role: "assistant", content };
    }
    case "reasoning": {
      const { field: _field, ...fields } = toSealed(one);
      return { id: `rs_${nth}`, status: "completed", ...fields };
    }
    case "function_call":
      return {
        id: `fc_${nth}`,
        type: "function_call",
        status: "completed",
        call_id: one.id,
        name: one.name,
        arguments: one.args,
      };
  }
}

/** Returns the events of one item, in order. */
function toLane(one: Item, nth: number, { added, deltas, partsDone, done }: ItemEncoding): Wire[] {
  const whole = toWhole(one, nth);
  const cut = (text: string, size: number) => text.match(new RegExp(`[^]{1,${size}}`, "gu")) ?? [];
  const events: Wire[] = [];
  if (added) {
    const empty = one.type === "function_call"
      ? { arguments: "" }
      : one.type === "message"
      ? { content: [] }
      : {
        summary: [],
        content: undefined,
        encrypted_content: "provisional",
      };
    events.push({
      type: "response.output_item.added",
      item: { ...whole, ...empty, status: "in_progress" },
    });
  }
  if (one.type === "function_call") {
    const name = "response.function_call_arguments";
    if (deltas) {
      for (const delta of cut(one.args, one.size)) events.push({ type: `${name}.delta`, delta });
    }
    if (partsDone) events.push({ type: `${name}.done`, arguments: one.args });
  } else {
    const names = {
      output_text: "output_text",
      refusal: "refusal",
      summary: "reasoning_summary_text",
      content: "reasoning_text",
    };
    const kind = one.kind === "refusal" || one.kind === "summary" || one.kind === "content"
      ? one.kind
      : "output_text";
    const name = `response.${names[kind]}`;
    one.parts.forEach(({ text, size }, at) => {
      const place = kind === "summary" ? { summary_index: at } : { content_index: at };
      if (deltas) {
        for (const delta of cut(text, size)) events.push({ type: `${name}.delta`, ...place, delta });
      }
      if (partsDone) {
        events.push({ type: `${name}.done`, ...place, [kind === "refusal" ? "refusal" : "text"]: text });
      }
    });
  }
  if (done) events.push({ type: "response.output_item.done", item: whole });
  return events;
}

/** Interleaves the events of the items: an item begins after those before it have begun. */
function toEvents(given: Script): Wire[] {
  const { items, encoding, picks, limit } = given;
  const lanes = items.map((one, nth) => toLane(one, nth, encoding));
  const events: Wire[] = [{ type: "response.created", response: { status: "in_progress", output: [] } }];
  const add = (nth: number, event: Wire) => {
    const id = encoding.ids === "none"
      ? undefined
      : encoding.ids === "stable"
      ? `id_${nth}`
      : `id_${events.length}`;
    const { item, ...fields } = event;
    const { id: _id, ...unnamed } = item ?? {};
    events.push({
      ...fields,
      ...(encoding.indexes && { output_index: nth }),
      ...(item === undefined ? id && { item_id: id } : { item: { ...unnamed, ...(id && { id }) } }),
    });
  };
  let begun = 0;
  for (let pick = 0; lanes.some(({ length }) => length > 0); pick++) {
    while (begun < lanes.length && lanes[begun]?.length === 0) begun++;
    const open = lanes.flatMap((lane, nth) => lane.length > 0 && nth <= begun ? [nth] : []);
    const nth = encoding.overlaps ? open[(picks[pick % picks.length] ?? 0) % open.length] : open[0];
    const event = nth === undefined ? undefined : lanes[nth]?.shift();
    if (nth === undefined || event === undefined) break;
    add(nth, event);
    if (nth === begun) begun++;
  }
  const type = limit === "none" ? "response.completed" : "response.incomplete";
  return [...events, { type, response: toResponse(given) }];
}

function toResponse({ items, encoding, limit, usage }: Script): Wire {
  return {
    id: "resp_1",
    object: "response",
    status: limit === "none" ? "completed" : "incomplete",
    incomplete_details: limit === "none" ? null : { reason: limit },
    error: null,
    output: encoding.output ? items.map(toWhole) : [],
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: usage.read, cache_write_tokens: usage.written },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: usage.thinking },
      total_tokens: usage.input + usage.output,
    },
  };
}

function frame(
  events: readonly Wire[],
  { eventNames, framing: { end, comments, doneMark } }: ItemEncoding,
): string {
  const frames = events.map((event, nth) => {
    const comment = comments.includes(nth) ? `: keepalive${end}${end}` : "";
    const name = eventNames ? `event: ${event.type}${end}` : "";
    return `${comment}${name}data: ${JSON.stringify(event)}${end}${end}`;
  });
  return frames.join("") + (doneMark ? `data: [DONE]${end}${end}` : "");
}

/** Replaces the seal of a block by its content. */
export function unsealBlock({ signature, data, ...block }: Wire): Wire {
  if (block.type !== "thinking" && block.type !== "redacted_thinking") return block;
  const [sealed] = unseal(signature ?? data, `openrouter/${MODELS.responses}`) ?? [];
  return { ...block, sealed };
}
