import type { StopReason, StreamEvent } from "../../../anthropic/events.ts";
import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { MessageWriter } from "../../../anthropic/writer.ts";
import { CHARS_PER_TOKEN } from "../../../base/chars_per_token.ts";
import { ApiError } from "../../../base/errors.ts";
import { isObject, type JsonObject, tryJson } from "../../../base/json.ts";
import { CitationReader } from "../../citations.ts";
import { createAnswerWriter } from "../../answer_writer.ts";
import type { AnswerReader, ServerSentEvent } from "../../dialect.ts";
import { isErrorValue } from "../../errors/error_shapes.ts";
import { unreadableAnswer } from "../../errors/unreadable.ts";
import { toUpstreamError } from "../../errors/upstream_error.ts";
import { stopError } from "../../stop_reasons.ts";
import { collectSchemas } from "../../offered_tools/offer_tools.ts";
import type { HostContext } from "../responses.ts";
import { type AnswerState, textOf } from "./answer_state.ts";
import { CallReader } from "./call.ts";
import { readEnding, type ResponseEnding, toFinishedResponse } from "./ending.ts";
import { type ItemReader, OutputItems } from "./items.ts";
import { MessageReader } from "./message.ts";
import { OtherItemReader } from "./other_items.ts";
import { ReasoningReader } from "./reasoning.ts";
import { StopSequences } from "./stop_sequences.ts";
import { toCounts } from "./usage.ts";

/** Converts an answer of the Responses API, whole or streamed, to the events of an Anthropic message. */
export class ResponsesAnswerReader implements AnswerReader {
  readonly #writer: MessageWriter;
  readonly #state: AnswerState;
  readonly #items: OutputItems;
  readonly #maxTokens: number;
  #finish: Finish | undefined;
  /** True if the upstream ended its stream with `[DONE]`. */
  #closed = false;
  outputTokens: number | undefined;
  /** Cost of the answer in USD, if the upstream reports it. */
  cost: number | undefined;
  /** Input tokens including those of the cache, if the upstream reports them. */
  inputTokens: number | undefined;

  constructor(request: MessagesRequest, context: HostContext) {
    this.#writer = createAnswerWriter(context);
    this.#state = {
      writer: this.#writer,
      citations: new CitationReader(this.#writer, context.origin),
      context,
      schemas: context.coerceToolInput ? collectSchemas(request) : new Map(),
      showsThinking: !(isObject(request.thinking) && request.thinking.display === "omitted"),
      stops: new StopSequences(request.stop_sequences ?? []),
      callIds: new Set(),
      chars: 0,
      refused: false,
      truncatedCall: false,
      searches: 0,
      omitted: new Set(),
    };
    this.#items = new OutputItems((type, item) => createItemReader(type, item, this.#state));
    this.#maxTokens = Math.min(request.max_tokens, context.facts.maxOutput ?? Infinity);
  }

  get unknownStop(): string | undefined {
    return this.#finish?.unknown;
  }

  get done(): boolean {
    return this.#finish !== undefined || this.#closed;
  }

  take(): StreamEvent[] {
    return this.#writer.take();
  }

  push({ event, data }: ServerSentEvent): void {
    const text = data.trim();
    if (this.done || (text === "" && event !== "error")) return;
    if (text === "[DONE]") {
      this.#closed = true;
      return;
    }
    const json = tryJson(text);
    if (!isObject(json)) {
      if (event === "error") return this.#fail({ error: { message: data } });
      if (Array.isArray(json)) return this.#fail(json);
      throw unreadableAnswer("an event is not a JSON object");
    }
    const type = textOf(json.type) || event || "";
    const isNamed = event === "error" || type === "error" || type === "response.error";
    if (isNamed || isBareError(json)) return this.#fail(json);
    this.#event(type, json);
    // Nothing that the upstream adds is part of the answer.
    if (this.#state.stops.matched !== undefined) this.#finish ??= { reason: "stop_sequence", output: [] };
  }

  pushNonStreamed(answer: unknown): void {
    const [first] = Array.isArray(answer) ? answer : [answer];
    if (!isObject(first)) throw unreadableAnswer("it is not a response");
    if (isErrorValue(first.error) && first.status !== "failed") return this.#fail(first);
    if (Array.isArray(first.output) || first.output_text) return this.#complete(first);
    if (isBareError(first)) return this.#fail(first);
    throw unreadableAnswer("it is not a response");
  }

  end(): void {
    if (this.#finish === undefined) {
      throw new ApiError(
        "api_error",
        "Cannot finish the answer: the upstream's stream ended before its answer did",
        { status: 502 },
      );
    }
    this.#items.endAll(this.#finish.output);
    if (!this.#writer.hasContent) this.#writer.text([...this.#state.omitted].map(toOmission).join("\n"));
    const { chars, searches } = this.#state;
    const outputTokens = this.outputTokens ?? Math.max(1, Math.ceil(chars / CHARS_PER_TOKEN));
    this.#writer.usage({
      output_tokens: outputTokens,
      ...(searches > 0 && { server_tool_use: { web_search_requests: searches } }),
    });
    // The count of an answer with searches includes their results, which are not in the request.
    if (searches > 0) this.inputTokens = undefined;
    const { unknown } = this.#finish;
    if (unknown !== undefined && !this.#writer.hasContent) throw stopError(unknown, undefined);
    const reason = this.#stopReason(this.#finish.reason);
    try {
      this.#writer.end(reason, this.#state.stops.matched);
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      if (this.#limitReached) return this.#writer.end("max_tokens");
      throw new ApiError(
        "api_error",
        "Cannot use the model's tool call: its arguments are not one JSON object",
        { status: 502, cause },
      );
    }
  }

  #event(type: string, json: JsonObject): void {
    if (isObject(json.response) && isErrorValue(json.response.error)) return this.#fail(json.response);
    switch (type) {
      case "response.output_item.added":
        return this.#items.begin(json);
      case "response.output_item.done":
        return this.#items.end(json);
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      case "response.cancelled":
      case "response.done": // the name in the Realtime API
        return this.#complete(toFinishedResponse(type, isObject(json.response) ? json.response : json));
      default:
        return this.#items.push(type, json);
    }
  }

  /** Reads the whole answer, which the last event of a stream carries. */
  #complete(response: JsonObject): void {
    const { error, output, usage } = response;
    if (isObject(usage)) this.#count(usage);
    if (isErrorValue(error)) return this.#fail({ error });
    this.#finish = { ...readEnding(response), output: toOutput(output, response.output_text) };
  }

  /** Throws the upstream's error. A refusal after the first output does not fail: it ends the answer. */
  #fail(body: unknown): void {
    const failure = toUpstreamError({ body });
    if (!failure.refused || this.#state.chars === 0) throw failure;
    this.#finish = { reason: "refusal", output: [] };
  }

  #stopReason(reason: StopReason): StopReason {
    const { refused, truncatedCall, callIds, chars, stops } = this.#state;
    if (stops.matched !== undefined) return "stop_sequence";
    if (reason !== "end_turn") return reason;
    if (truncatedCall) return "max_tokens";
    if (callIds.size > 0) return "tool_use";
    if (refused) return "refusal";
    // Some hosts always report a complete answer.
    return chars === 0 && this.#limitReached ? "max_tokens" : "end_turn";
  }

  get #limitReached(): boolean {
    return this.#state.truncatedCall || (this.outputTokens ?? 0) >= this.#maxTokens;
  }

  #count(usage: JsonObject): void {
    const { report, input, output, cost } = toCounts(usage);
    this.inputTokens = input ?? this.inputTokens;
    this.outputTokens = output ?? this.outputTokens;
    this.cost = cost ?? this.cost;
    this.#writer.usage(report);
  }
}

/** Returns the output items. Some hosts send only the text of the answer. */
function toOutput(output: unknown, text: unknown): unknown {
  const hasItems = Array.isArray(output) && output.length > 0;
  if (isObject(output)) return Object.values(output); // by index
  return !hasItems && typeof text === "string" && text !== "" ? [{ type: "message", content: text }] : output;
}

/** Returns the note for an answer that has nothing but an item of a type without counterpart. */
function toOmission(type: string): string {
  return `[The model returned an item of type "${type.slice(0, 64)}", which this API cannot carry]`;
}

/** How the upstream ended its answer. */
interface Finish extends ResponseEnding {
  /** All output items, if the upstream repeats them. */
  output: unknown;
}

function createItemReader(type: string, item: JsonObject, state: AnswerState): ItemReader {
  if (state.stops.matched !== undefined) return IGNORED_ITEM;
  switch (type) {
    case "message":
      return new MessageReader(state);
    case "function_call":
      return new CallReader(state, item);
    case "reasoning":
      return new ReasoningReader(state);
    default:
      return new OtherItemReader(state);
  }
}

/** Reader of an item after the end of the answer. */
const IGNORED_ITEM: ItemReader = { push() {}, end() {} };

/** True for an error without an event type. */
function isBareError({ type, error, detail, code, message }: JsonObject): boolean {
  const isTyped = typeof type === "string" && type.startsWith("response.");
  return !isTyped && Boolean(error ?? detail ?? (code !== undefined && message !== undefined));
}
