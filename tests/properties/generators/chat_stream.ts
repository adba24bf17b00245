import fc from "fast-check";
import { unseal } from "../../../lib/dialects/sealed.ts";
import type { Wire } from "../../kit/json.ts";
import { MODELS } from "../../kit/requests/request.ts";

/** A stream of chat completions as some host would send it, and the message that it contains. */
export interface ChatStream {
  body: string;
  message: { content: Wire[]; stop_reason: string; usage: Wire };
}

/** One step of an answer. A `piece` belongs to the call that was opened `call`-th. */
type Step =
  | { kind: "text" | "think"; text: string }
  | { kind: "secret"; data: string }
  | { kind: "announce" | "open"; call: number }
  | { kind: "piece"; call: number; text: string };

interface Call {
  id: string;
  name: string;
  args: string;
  cuts: number[];
}

/** Ways of hosts to number the pieces of calls. With neither id nor index, calls can only follow one another. */
const NUMBERINGS = {
  openai: { index: true, id: "first", name: "first", interleaved: true },
  empties: { index: true, id: "empty", name: "empty", interleaved: true },
  repeats: { index: true, id: "all", name: "all", interleaved: true },
  "no index": { index: false, id: "all", name: "first", interleaved: true },
  zero: { index: 0, id: "all", name: "all", interleaved: true },
  "zero, once": { index: 0, id: "first", name: "first", interleaved: false },
  "no id": { index: true, id: "never", name: "first", interleaved: true },
  bare: { index: false, id: "never", name: "first", interleaved: false },
  "same id": { index: true, id: "all", name: "all", interleaved: true, same: true },
  announced: { index: true, id: "announced", name: "first", interleaved: true },
} as const;
type Numbering = (typeof NUMBERINGS)[keyof typeof NUMBERINGS];
type Reasoning = "reasoning" | "reasoning_content" | "both" | "details" | "claude" | "parts";
type Framing = {
  end: "\n" | "\r\n" | "\r";
  space: boolean;
  comments: number[];
  done: boolean;
  last: boolean;
  bom: boolean;
};

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const call: fc.Arbitrary<Call> = fc.record({
  id: fc.oneof(
    fc.constantFrom("call_a", "toolu_b", "functions.add:0", "bash:1", "é/x"),
    fc.string({ minLength: 1 }),
  ),
  name: fc.constantFrom("Read", "Grep", "mcp__x__y"),
  args: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 }).map((args) =>
    JSON.stringify(args)
  ),
  cuts: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
});

const script = fc.record({
  numbering: fc.constantFrom<Numbering[]>(...Object.values(NUMBERINGS)),
  reasoning: fc.constantFrom<Reasoning>(
    "reasoning",
    "reasoning_content",
    "both",
    "details",
    "claude",
    "parts",
  ),
  segments: fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("text" as const), text }),
      fc.record({ kind: fc.constant("think" as const), text }),
      fc.record({ kind: fc.constant("secret" as const), data: text }),
    ),
    { maxLength: 6 },
  ),
  calls: fc.uniqueArray(call, { maxLength: 3, selector: ({ id }) => id }),
  picks: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  finish: fc.constantFrom("stop", "tool_calls", "length", "content_filter", "eos", "STOP"),
  finishAlone: fc.boolean(),
  usage: fc.record({
    prompt: fc.integer({ min: 30, max: 9999 }),
    read: fc.integer({ min: 0, max: 20 }),
    written: fc.integer({ min: 0, max: 10 }),
    completion: fc.nat(9999),
    thinking: fc.nat(99),
    where: fc.constantFrom("finish", "after", "repeat", "groq", "early"),
    null: fc.boolean(),
  }),
  role: fc.constantFrom("always", "first", "never"),
  blank: fc.constantFrom("", null, undefined),
  index: fc.constantFrom(0, undefined),
  framing: fc.record<Framing>({
    end: fc.constantFrom("\n", "\r\n", "\r"),
    space: fc.boolean(),
    comments: fc.array(fc.nat(12), { maxLength: 4 }),
    done: fc.boolean(),
    last: fc.boolean(),
    bom: fc.boolean(),
  }),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

/** Sets the same id for all calls, as some hosts do. Only their index differs. */
function withSameId(given: Script): Script {
  const same = "same" in given.numbering;
  return same ? { ...given, calls: given.calls.map((one) => ({ ...one, id: "same" })) } : given;
}

/** Replaces the finish reason `tool_calls` of an answer without calls: without text, it would be an error. */
function withTrueFinish(given: Script): Script {
  const isEmpty = given.finish === "tool_calls" && given.calls.length === 0;
  return isEmpty ? { ...given, finish: "stop" } : given;
}

/** Streams of chat completions in every known form of hosts. */
export const chatStream: fc.Arbitrary<ChatStream> = script.map(withSameId).map(withTrueFinish).map(
  (given) => {
    const steps = weave(given);
    return {
      body: frame(toChunks(steps, given), given.framing),
      message: { content: toContent(steps, given), stop_reason: toReason(given), usage: toUsage(given) },
    };
  },
);

/** Interleaves the segments and the pieces of the calls; the order within each stays. */
function weave({ numbering, reasoning, segments, calls, picks }: Script): Step[] {
  const lanes: Step[][] = [segments.filter(({ kind }) => reasoning === "details" || kind !== "secret")];
  for (const [nth, { args, cuts }] of calls.entries()) {
    const lane: Step[] = [{ kind: "open", call: nth }];
    if (numbering.id === "announced") lane.unshift({ kind: "announce", call: nth });
    let at = 0;
    for (const size of [...cuts, args.length]) {
      if (at < args.length) lane.push({ kind: "piece", call: nth, text: args.slice(at, at + size) });
      at += size;
    }
    if (numbering.interleaved) lanes.push(lane);
    else lanes[1] = [...(lanes[1] ?? []), ...lane];
  }
  const steps: Step[] = [];
  for (let nth = 0; lanes.some((lane) => lane.length > 0); nth++) {
    const full = lanes.filter((lane) => lane.length > 0);
    const next = full[(picks[nth % picks.length] ?? 0) % full.length]?.shift();
    if (next !== undefined) steps.push(next);
  }
  return steps;
}

/** Returns the content that a client of Anthropic's API must receive. */
function toContent(steps: readonly Step[], { calls, reasoning, numbering }: Script): Wire[] {
  const content: Wire[] = [];
  const opened: number[] = [];
  let secret = false;
  const close = () => {
    const last = content.at(-1);
    if (last?.type === "thinking") last.closed = true;
    else if (secret) content.push({ type: "redacted_thinking" });
    secret = false;
  };
  for (const step of steps) {
    switch (step.kind) {
      case "think":
        if (content.at(-1)?.type !== "thinking" || content.at(-1)?.closed) {
          content.push({ type: "thinking", thinking: "" });
        }
        content.at(-1).thinking += step.text;
        // Claude's signature ends its thinking.
        if (reasoning === "claude") {
          Object.assign(content.at(-1), { signature: `sig ${step.text}`, closed: true });
        }
        secret = false;
        break;
      case "secret":
        if (content.at(-1)?.type !== "thinking" || content.at(-1)?.closed) secret = true;
        break;
      case "text":
        close();
        if (content.at(-1)?.type !== "text") content.push({ type: "text", text: "" });
        content.at(-1).text += step.text;
        break;
      case "open": {
        close();
        opened.push(step.call);
        const { id, name, args } = calls[step.call] ?? { id: "", name: "", args: "" };
        const known = numbering.id === "never" ? undefined : id;
        content.push({ type: "tool_use", id: known, name, input: JSON.parse(args) });
      }
    }
  }
  close();
  return content.map(({ closed: _closed, ...block }) => block);
}

function toReason({ finish, calls }: Script): string {
  if (finish === "length") return "max_tokens";
  if (finish === "content_filter") return "refusal";
  return calls.length > 0 ? "tool_use" : "end_turn";
}

function toUsage({ usage: { prompt, read, written, completion, thinking } }: Script): Wire {
  return {
    input_tokens: prompt - read - written,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: written,
    output_tokens: completion,
    ...(thinking > 0 && { output_tokens_details: { thinking_tokens: thinking } }),
  };
}

function toChunks(steps: readonly Step[], given: Script): Wire[] {
  const { numbering, reasoning, calls, finish, role, blank, index, usage } = given;
  const chunks: Wire[] = [];
  const add = (delta: Wire, more: Wire = {}) => {
    const named = role === "always" || (role === "first" && chunks.length === 0) ? { role: "assistant" } : {};
    const empty = blank === undefined || "content" in delta ? {} : { content: blank };
    const choice = {
      ...(index === 0 && { index }),
      delta: { ...named, ...empty, ...delta },
      finish_reason: null,
    };
    chunks.push({ id: "gen-1", object: "chat.completion.chunk", choices: [{ ...choice, ...more }] });
  };
  const order: number[] = [];
  const toCall = (nth: number, first: boolean, fields: Wire): Wire => {
    if (!order.includes(nth)) order.push(nth);
    const { id, name } = calls[nth] ?? { id: "", name: "" };
    const named = first && numbering.id !== "announced" ? "first" : "later";
    const called = numbering.name === "all" || first
      ? { name }
      : numbering.name === "empty"
      ? { name: "" }
      : {};
    return {
      ...(numbering.index === true && { index: order.indexOf(nth) }),
      ...(numbering.index === 0 && { index: 0 }),
      ...((numbering.id === "all" || (named === "first" && numbering.id !== "never")) && { id }),
      ...(numbering.id === "empty" && named === "later" && { id: "" }),
      type: "function",
      function: { ...called, ...fields },
    };
  };
  if (given.framing.bom) chunks.push({ id: "gen-1", choices: [], prompt_filter_results: [] });
  const counts = toCounts(given);
  if (usage.where === "early") add({ content: "" }, {});
  if (usage.where === "early") Object.assign(chunks.at(-1), { usage: counts });
  for (const step of steps) {
    switch (step.kind) {
      case "text":
        add({ content: reasoning === "parts" ? [{ type: "text", text: step.text }] : step.text });
        break;
      case "think":
        add(toThought(step.text, reasoning));
        if (reasoning === "claude") add({ reasoning_details: [toSignature(step.text)] });
        break;
      case "secret":
        add({
          reasoning_details: [{ type: "reasoning.encrypted", data: step.data, format: "unknown", index: 0 }],
        });
        break;
      case "announce": {
        const { function: _function, ...announced } = toCall(step.call, false, {});
        add({ tool_calls: [{ ...announced, id: calls[step.call]?.id }] });
        break;
      }
      case "open":
        add({ tool_calls: [toCall(step.call, true, { arguments: "" })] });
        break;
      case "piece":
        add({ tool_calls: [toCall(step.call, false, { arguments: step.text })] });
    }
  }
  const [last] = chunks.at(-1)?.choices ?? [];
  if (given.finishAlone || last === undefined) add({}, { finish_reason: finish });
  else last.finish_reason = finish;
  if (usage.null) chunks.forEach((chunk) => chunk.usage ??= null);
  if (usage.where === "finish") Object.assign(chunks.at(-1), { usage: counts });
  if (usage.where === "groq") Object.assign(chunks.at(-1), { x_groq: { id: "req", usage: counts } });
  if (usage.where === "after") chunks.push({ id: "gen-1", choices: [], usage: counts });
  if (usage.where === "repeat") {
    add({ content: "" }, { finish_reason: finish });
    Object.assign(chunks.at(-1), { usage: counts });
  }
  return chunks;
}

function toCounts({ usage: { prompt, read, written, completion, thinking } }: Script): Wire {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
    completion_tokens_details: { reasoning_tokens: thinking },
    cost: 0.25,
  };
}

function toThought(thought: string, reasoning: Reasoning): Wire {
  const detail = { type: "reasoning.text", text: thought, index: 0 };
  switch (reasoning) {
    case "reasoning":
    case "reasoning_content":
      return { [reasoning]: thought };
    case "both":
      return { reasoning: thought, reasoning_content: thought };
    case "details":
      return { reasoning: thought, reasoning_details: [{ ...detail, format: "unknown", signature: null }] };
    case "claude":
      return { reasoning: thought, reasoning_details: [{ ...detail, format: "anthropic-claude-v1" }] };
    case "parts":
      return { content: [{ type: "thinking", thinking: [{ type: "text", text: thought }] }] };
  }
}

/** Returns the detail by which OpenRouter ends Claude's thinking: it has no text, or an empty one. */
function toSignature(thought: string): Wire {
  const empty = thought.length % 2 === 0 ? { text: "" } : {};
  return {
    type: "reasoning.text",
    ...empty,
    signature: `sig ${thought}`,
    index: 0,
    format: "anthropic-claude-v1",
  };
}

function frame(chunks: readonly Wire[], { end, space, comments, done, last, bom }: Framing): string {
  const frames = chunks.map((chunk, nth) => {
    const comment = comments.includes(nth) ? `: OPENROUTER PROCESSING${end}${end}` : "";
    return `${comment}data:${space ? " " : ""}${JSON.stringify(chunk)}${end}${end}`;
  });
  if (done) frames.push(`data: [DONE]${end}${end}`);
  const text = frames.join("");
  return (bom ? "\ufeff" : "") + (last ? text : text.trimEnd());
}

/** Chat completions that are not streamed, and the messages that they contain. */
export const chatWhole: fc.Arbitrary<ChatStream> = script.map(withSameId).map(withTrueFinish).map((given) => {
  const { segments, calls, reasoning } = given;
  const join = (kind: string) =>
    segments.map((one) => one.kind === kind && "text" in one ? one.text : "").join("");
  const [thought, text] = [join("think"), join("text")];
  const steps: Step[] = [
    ...(thought ? [{ kind: "think" as const, text: thought }] : []),
    ...(text ? [{ kind: "text" as const, text }] : []),
    ...calls.map((_call, nth) => ({ kind: "open" as const, call: nth })),
  ];
  const tool_calls = calls.map(({ id, name, args }, nth) => ({
    ...(given.index === 0 && { index: nth }),
    ...(given.numbering.id !== "never" && { id }),
    type: "function",
    function: { name, arguments: given.finishAlone ? args : JSON.parse(args) },
  }));
  const { content: parts, ...thoughts } = thought ? toThought(thought, reasoning) : { content: undefined };
  if (thought && reasoning === "claude") thoughts.reasoning_details.push(toSignature(thought));
  const content = parts === undefined ? text || given.blank : [...parts, { type: "text", text }];
  const message = { role: "assistant", ...(content !== undefined && { content }), ...thoughts, tool_calls };
  const choices = [{ index: 0, message, finish_reason: given.finish }];
  return {
    body: JSON.stringify({ id: "gen-1", object: "chat.completion", choices, usage: toCounts(given) }),
    message: { content: toContent(steps, given), stop_reason: toReason(given), usage: toUsage(given) },
  };
});

/**
 * Removes from a block what a gateway may choose: a generated id in valid form becomes `undefined`, a sealed value is
 * replaced by its content.
 */
export function normalise(block: Wire): Wire {
  const { signature, data, ...rest } = block;
  if (block.type === "tool_use") {
    return { ...rest, id: /^toolu_[A-Za-z0-9]{24}$/.test(block.id) ? undefined : block.id };
  }
  if (block.type !== "thinking" && block.type !== "redacted_thinking") return block;
  const sealed = unseal(signature ?? data, `openrouter/${MODELS.chat}`);
  if (sealed === undefined) return block;
  // The seal contains Claude's signature, because the model's name is not Claude's.
  const [claude] = sealed.filter(({ format }) => format === "anthropic-claude-v1");
  return { ...rest, ...(claude && { signature: claude.signature }), sealed };
}
