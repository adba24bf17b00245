import { unreadableAnswer } from "../errors/unreadable.ts";
import * as v from "valibot";
import type { ResponseMessage, StreamEvent, UsageReport } from "../../anthropic/events.ts";
import { toEvents } from "../../anthropic/to_events.ts";
import type { MessagesRequest } from "../../anthropic/schema.ts";
import { ApiError } from "../../base/errors.ts";
import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import type { AnswerReader, ServerSentEvent, TurnContext } from "../dialect.ts";
import { createThinkingSealer, type ThinkingSealer } from "./thinking.ts";
import { isOpenRouterReasoning } from "../reasoning/openrouter.ts";
import { toUpstreamError } from "../errors/upstream_error.ts";

/** Fields read from an upstream's events; all other fields are passed on. */
const Counts = v.looseObject({ input_tokens: v.nullish(v.number()), output_tokens: v.nullish(v.number()) });
const MessageSchema = v.looseObject({
  type: v.literal("message"),
  content: v.array(v.looseObject({ type: v.string() })),
  stop_reason: v.nullish(v.string()),
  stop_sequence: v.nullish(v.string()),
  usage: v.nullish(Counts),
});
const MessageStart = v.looseObject({
  message: v.looseObject({ id: v.nullish(v.string()), usage: v.nullish(Counts) }),
});
const BlockStart = v.looseObject({ index: v.number(), content_block: v.looseObject({ type: v.string() }) });
const BlockDelta = v.looseObject({ index: v.number(), delta: v.looseObject({ type: v.string() }) });
const BlockStop = v.looseObject({ index: v.number() });
const MessageDelta = v.looseObject({
  delta: v.looseObject({ stop_reason: v.nullish(v.string()), stop_sequence: v.nullish(v.string()) }),
  usage: v.nullish(Counts),
});

/** OpenRouter's additions to Anthropic's usage report, which are removed. */
const OPENROUTER_USAGE_FIELDS = ["cost", "cost_details", "is_byok"];

/** Reads an answer in Anthropic's format, and repairs known deviations of Anthropic-compatible upstreams. */
export class AnthropicAnswerReader implements AnswerReader {
  readonly #context: TurnContext;
  readonly #stopSequences: readonly string[];
  /** Seals the thinking of models other than Claude; `undefined` for Claude, whose signatures are kept. */
  readonly #sealer: ThinkingSealer | undefined;
  #events: StreamEvent[] = [];
  #state: "before" | "inside" | "after" = "before";
  #index = -1;
  /** Upstream's index of the open block. */
  #open: number | undefined;
  /** Upstream's index of a block that is left out. */
  #skipped: number | undefined;
  /** True once a thinking block had a signature. */
  #signed = false;
  #pinged = false;
  cost: number | undefined;
  inputTokens: number | undefined;
  /** Output tokens, if the upstream reports them at the end of its answer. */
  outputTokens: number | undefined;

  constructor(request: MessagesRequest, context: TurnContext) {
    this.#context = context;
    this.#stopSequences = request.stop_sequences ?? [];
    this.#sealer = createThinkingSealer(request, context);
  }

  get done(): boolean {
    return this.#state === "after";
  }

  take(): StreamEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  push({ event, data }: ServerSentEvent): void {
    const text = data.trim();
    if (this.#state === "after" || text === "[DONE]" || text === "") return;
    const json = tryJson(text);
    if (event === "error") throw toUpstreamError({ body: json ?? { message: data } });
    if (!isObject(json)) throw unreadableAnswer("an event is not a JSON object");
    const type = typeof json.type === "string" ? json.type : event;
    if (type === "error" || (json.error !== undefined && type === undefined)) {
      throw toUpstreamError({ body: json });
    }
    this.#event(type ?? "", json);
  }

  pushNonStreamed(answer: unknown): void {
    if (isObject(answer) && answer.error !== undefined) throw toUpstreamError({ body: answer });
    if (!v.is(MessageSchema, answer)) throw unreadableAnswer("it is not a message");
    const { stop_reason = null, stop_sequence = null, content } = answer;
    const { input_tokens, output_tokens, ...counts } = answer.usage ?? {};
    const usage = { ...counts, input_tokens: input_tokens ?? 0, output_tokens: output_tokens ?? 0 };
    const message: ResponseMessage = {
      ...answer,
      type: "message",
      role: "assistant",
      id: typeof answer.id === "string" ? answer.id : "",
      model: "",
      content,
      stop_reason,
      stop_sequence,
      usage,
    };
    for (const event of toEvents(message)) this.#event(event.type, { ...event });
    if (typeof output_tokens !== "number") this.outputTokens = undefined;
  }

  end(): void {
    if (this.#state === "after") return;
    throw new ApiError(
      "api_error",
      "Cannot finish the answer: the upstream's stream ended before its answer did",
      {
        status: 502,
      },
    );
  }

  #event(type: string, json: JsonObject): void {
    if (this.#state === "before" && type !== "message_start") {
      if (!/^(content_block|message)_/.test(type)) return; // not a part of the message
      throw unreadableAnswer(`the first event is "${type.slice(0, 64)}", not "message_start"`);
    }
    switch (type) {
      case "message_start":
        return this.#start(parseEvent(MessageStart, json));
      case "content_block_start":
        return this.#openBlock(parseEvent(BlockStart, json));
      case "content_block_delta":
        return this.#addDelta(parseEvent(BlockDelta, json));
      case "content_block_stop":
        return this.#closeBlock(parseEvent(BlockStop, json).index);
      case "message_delta":
        return this.#finish(parseEvent(MessageDelta, json));
      case "message_stop":
        this.#closeOpen();
        this.#state = "after";
        this.#events.push({ ...json, type: "message_stop" });
        return;
      case "ping":
        this.#pinged = true;
        this.#events.push({ type: "ping" });
        return;
      case "":
        return;
      default:
        this.#events.push(toUnknownEvent(type, json));
    }
  }

  #start({ message }: v.InferOutput<typeof MessageStart>): void {
    if (this.#state !== "before") return; // some hosts send it twice
    this.#state = "inside";
    const { provider: _provider, ...fields } = message;
    const { newId, alias, inputTokens } = this.#context;
    const counts = message.usage ? this.#count(message.usage) : {};
    this.#events.push({
      type: "message_start",
      message: {
        ...fields,
        id: message.id?.startsWith("msg_") ? message.id : newId("msg_"),
        type: "message",
        role: "assistant",
        model: alias,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        // OpenRouter reports usage only at the end. Until then, the client displays an estimate.
        usage: {
          ...counts,
          input_tokens: counts.input_tokens || inputTokens,
          output_tokens: counts.output_tokens ?? 0,
        },
      },
    });
  }

  #openBlock({ index, content_block: block }: v.InferOutput<typeof BlockStart>): void {
    this.#closeOpen();
    // OpenRouter repeats the reasoning of a signed thinking block in a redacted block.
    if (block.type === "redacted_thinking" && isOpenRouterReasoning(block.data) && this.#signed) {
      this.#skipped = index;
      return;
    }
    if (block.type === "thinking" && block.signature) this.#signed = true;
    this.#open = index;
    const { start, deltas } = this.#sealer?.open(block) ?? { start: block, deltas: [] };
    this.#events.push({ type: "content_block_start", index: ++this.#index, content_block: start });
    if (!this.#pinged) this.#events.push({ type: "ping" });
    this.#pinged = true;
    this.#emitDeltas(deltas);
  }

  #addDelta({ index, delta }: v.InferOutput<typeof BlockDelta>): void {
    if (index === this.#skipped) return;
    if (index !== this.#open) throw unreadableAnswer("a delta refers to a block that is not open");
    if (delta.type === "signature_delta" && delta.signature) this.#signed = true;
    this.#emitDeltas(this.#sealer?.add(delta) ?? [delta]);
  }

  #emitDeltas(deltas: readonly v.InferOutput<typeof BlockDelta>["delta"][]): void {
    for (const delta of deltas) {
      this.#events.push({ type: "content_block_delta", index: this.#index, delta });
    }
  }

  #closeBlock(index: number): void {
    if (index === this.#skipped) this.#skipped = undefined;
    else if (index === this.#open) this.#closeOpen();
  }

  #closeOpen(): void {
    if (this.#open === undefined) return;
    this.#open = undefined;
    this.#emitDeltas(this.#sealer?.close() ?? []);
    this.#events.push({ type: "content_block_stop", index: this.#index });
  }

  #finish({ delta, usage, ...rest }: v.InferOutput<typeof MessageDelta>): void {
    this.#closeOpen();
    const { stop_reason = null, stop_sequence = null } = delta;
    const onlyStopSequence = this.#stopSequences.length === 1 ? this.#stopSequences[0] : undefined;
    const stopSequence = stop_reason === "stop_sequence"
      ? stop_sequence ?? onlyStopSequence ?? null
      : stop_sequence;
    const counts = this.#count(usage ?? {});
    this.outputTokens = counts.output_tokens ?? this.outputTokens;
    this.#events.push({
      ...rest,
      type: "message_delta",
      delta: { ...delta, stop_reason, stop_sequence: stopSequence },
      usage: { ...counts, output_tokens: counts.output_tokens ?? 0 },
    });
  }

  /** Stores the cost and input tokens of a usage report; returns the report without OpenRouter's fields. */
  #count(
    usage: v.InferOutput<typeof Counts>,
  ): UsageReport & { input_tokens?: number; output_tokens?: number } {
    if (typeof usage.cost === "number") this.cost = usage.cost;
    const { input_tokens, output_tokens, ...rest } = usage;
    const inputTotal = [input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens]
      .reduce((sum: number, count) => sum + (typeof count === "number" ? count : 0), 0);
    if (inputTotal > 0) this.inputTokens = inputTotal;
    const kept = Object.entries(rest).filter(([field]) => !OPENROUTER_USAGE_FIELDS.includes(field));
    return {
      ...Object.fromEntries(kept),
      ...(typeof input_tokens === "number" && { input_tokens }),
      ...(typeof output_tokens === "number" && { output_tokens }),
    };
  }
}

function parseEvent<T>(schema: v.GenericSchema<T>, json: JsonObject): T {
  if (v.is(schema, json)) return json;
  throw unreadableAnswer(`event "${String(json.type).slice(0, 64)}" has a missing or invalid field`);
}

function toUnknownEvent(type: string, json: JsonObject): StreamEvent {
  // The literal type stands for any other string, as in `OtherEvent`.
  return { ...json, type: type as "(unknown)" };
}
