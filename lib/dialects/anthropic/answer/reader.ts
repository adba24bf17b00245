import * as v from "valibot";
import type {
  MessageDelta as MessageDeltaEvent,
  ResponseMessage,
  StreamEvent,
} from "../../../anthropic/events.ts";
import type { MessagesRequest } from "../../../anthropic/schema.ts";
import { toEvents } from "../../../anthropic/to_events.ts";
import { MessageWriter } from "../../../anthropic/writer.ts";
import { isObject, type JsonObject, tryJson } from "../../../base/json.ts";
import type { AnswerReader, ServerSentEvent, TurnContext } from "../../dialect.ts";
import { isErrorValue, isFailure } from "../../errors/error_shapes.ts";
import { brokenCall, incompleteAnswer, unreadableAnswer } from "../../errors/unreadable.ts";
import { toUpstreamError } from "../../errors/upstream_error.ts";
import { collectSchemas } from "../../offered_tools/offer_tools.ts";
import { collectToolNames } from "../../offered_tools/tool_names.ts";
import { createThinkingSealer } from "../thinking.ts";
import { BlockReader } from "./blocks.ts";
import { toNativeStop } from "./native_stop.ts";
import {
  BlockDelta,
  BlockStart,
  BlockStop,
  type Counts,
  isBlockDelta,
  MessageDelta,
  type MessageFields,
  MessageSchema,
  MessageStart,
  parseEvent,
  toUnknownEvent,
} from "./schemas.ts";
import { normalizeEvent, normalizeMessage } from "./normalize_event.ts";
import { readUsage } from "./usage.ts";

/** Options of {@linkcode AnthropicAnswerReader}. */
export interface AnthropicAnswerOptions {
  /** True for an upstream whose events are passed on as they are, as long as they are legal. */
  exact: boolean;
}

/**
 * Reads an answer in Anthropic's format. The events of all upstreams obey the grammar of the writer; those of Anthropic
 * and OpenRouter are otherwise unchanged.
 */
export class AnthropicAnswerReader implements AnswerReader {
  readonly #context: TurnContext;
  readonly #exact: boolean;
  readonly #stopSequences: readonly string[];
  readonly #writer: MessageWriter;
  readonly #blocks: BlockReader;
  #state: "before" | "inside" | "after" = "before";
  /** Upstream's id of the message. */
  #id: unknown;
  /** The last event but one, which is written at the end. */
  #ending: { delta: MessageDeltaEvent["delta"]; usage: Counts; rest: JsonObject } | undefined;
  cost: number | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
  unknownStop: string | undefined;

  constructor(request: MessagesRequest, context: TurnContext, { exact }: AnthropicAnswerOptions) {
    const names = collectToolNames(request);
    this.#context = context;
    this.#exact = exact;
    this.#stopSequences = request.stop_sequences ?? [];
    const usage = { input_tokens: context.inputTokens, output_tokens: 0 };
    this.#writer = new MessageWriter({ id: context.newId("msg_"), model: context.alias, usage });
    this.#blocks = new BlockReader(this.#writer, {
      exact,
      sealer: createThinkingSealer(request, context),
      toClientName: (name) => names.toClient(name),
      schemas: context.coerceToolInput && !exact ? collectSchemas(request) : new Map(),
      newId: context.newId,
    });
  }

  get done(): boolean {
    return this.#state === "after";
  }

  get finishing(): boolean {
    return Boolean(this.#ending?.delta.stop_reason);
  }

  take(): StreamEvent[] {
    return this.#writer.take();
  }

  push({ event, data }: ServerSentEvent): void {
    const text = data.trim();
    if (this.#state === "after" || text === "[DONE]" || text === "") return;
    const json = tryJson(text);
    if (event === "error") throw toUpstreamError({ body: json ?? { message: data } });
    if (Array.isArray(json) && isFailure(json)) throw toUpstreamError({ body: json });
    if (!isObject(json)) throw unreadableAnswer("an event is not a JSON object");
    const type = typeof json.type === "string" ? json.type : event;
    if (type === "message_start" && isFailure(json.message)) throw toUpstreamError({ body: json.message });
    if (type === "error" || isErrorValue(json.error) || (type === undefined && isFailure(json))) {
      throw toUpstreamError({ body: json });
    }
    if (type === "message") this.pushNonStreamed(json);
    else this.#event(type ?? "", json);
  }

  pushNonStreamed(body: unknown): void {
    if (isFailure(body)) throw toUpstreamError({ body });
    const answer = isObject(body) && !this.#exact ? normalizeMessage(body) : body;
    if (!isObject(answer) || !v.is(MessageSchema, answer) || !answer.content) {
      throw unreadableAnswer("it is not a message");
    }
    const { stop_reason = null, stop_sequence = null, content } = answer;
    const { input_tokens, output_tokens, ...counts } = answer.usage ?? {};
    const usage = { ...counts, input_tokens: input_tokens ?? 0, output_tokens: output_tokens ?? 0 };
    const message: ResponseMessage = {
      ...answer,
      type: "message",
      role: "assistant",
      id: answer.id ?? "",
      model: "",
      content: typeof content === "string" ? [{ type: "text", text: content }] : content,
      stop_reason,
      stop_sequence,
      usage,
    };
    for (const event of toEvents(message)) this.#event(event.type, { ...event });
    if (typeof output_tokens !== "number") this.outputTokens = undefined;
  }

  end(): void {
    if (this.#state === "after") return;
    if (!this.finishing) throw incompleteAnswer();
    this.#stop({ type: "message_stop" });
  }

  #event(type: string, event: JsonObject): void {
    const json = this.#exact ? event : normalizeEvent(event);
    if (this.#state === "before" && type !== "message_start") {
      if (!/^(content_block|message)_/.test(type)) return; // not a part of the message
      if (this.#exact) {
        throw unreadableAnswer(`the first event is "${type.slice(0, 64)}", not "message_start"`);
      }
      this.#state = "inside";
    }
    switch (type) {
      case "message_start":
        return this.#start(parseEvent(MessageStart, json).message);
      case "content_block_start": {
        const { index, content_block } = parseEvent(BlockStart, json);
        return this.#blocks.open(content_block, index);
      }
      case "content_block_delta": {
        const { index, delta } = isBlockDelta(json) ? json : parseEvent(BlockDelta, json);
        return this.#blocks.add(delta, index);
      }
      case "content_block_stop":
        return this.#blocks.close(parseEvent(BlockStop, json).index);
      case "message_delta":
        return this.#finish(parseEvent(MessageDelta, json));
      case "message_stop":
        return this.#stop(json);
      case "ping":
        this.#blocks.pinged = true;
        return this.#writer.pass({ type: "ping" });
      case "":
        return;
      default:
        this.#writer.pass(toUnknownEvent(type, json));
    }
  }

  #start(message: MessageFields): void {
    if (this.#state !== "before") {
      // Some hosts send it twice.
      if (message.id && this.#id && message.id !== this.#id) {
        throw unreadableAnswer("another message begins in it");
      }
      return;
    }
    this.#state = "inside";
    this.#id = message.id;
    const { provider: _provider, ...fields } = message;
    const { newId, alias, inputTokens } = this.#context;
    const counts = message.usage ? this.#count(message.usage) : {};
    this.#writer.head = {
      fields,
      id: message.id?.startsWith("msg_") ? message.id : newId("msg_"),
      model: alias,
      // OpenRouter reports usage only at the end. Until then, the client displays an estimate.
      usage: {
        ...counts,
        input_tokens: counts.input_tokens || inputTokens,
        output_tokens: counts.output_tokens ?? 0,
      },
    };
    this.#writer.start();
    // A call of Anthropic's code execution continues a message, whose first blocks are in its start.
    const { content } = message;
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content ?? [];
    for (const [at, block] of blocks.entries()) {
      this.#blocks.open(block, -1 - at);
      this.#blocks.close(-1 - at);
    }
  }

  /** Keeps the end of the message until nothing else can follow. Counts of several events are merged. */
  #finish({ delta, usage, ...rest }: v.InferOutput<typeof MessageDelta>): void {
    const before = this.#ending;
    const stop_reason = delta?.stop_reason ?? before?.delta.stop_reason ?? null;
    const stop_sequence = delta?.stop_sequence ?? before?.delta.stop_sequence ?? null;
    this.#ending = {
      delta: { ...before?.delta, ...delta, stop_reason, stop_sequence },
      usage: { ...before?.usage, ...usage },
      rest: { ...before?.rest, ...rest },
    };
  }

  /** Writes the end of the message. */
  #stop(json: JsonObject): void {
    this.#blocks.closeAll();
    const { hasContent, hasOutput } = this.#writer;
    const isEmpty = this.#ending === undefined || (!this.#exact && !this.#ending.delta.stop_reason);
    if (isEmpty && !hasContent) throw incompleteAnswer();
    const { delta, usage, rest } = this.#ending ??
      { delta: { stop_reason: null, stop_sequence: null }, usage: {}, rest: {} };
    const { hasCalls } = this.#blocks;
    const { stopReason, isUnknown } = toNativeStop(delta.stop_reason, {
      hasCalls,
      hasContent,
      hasOutput,
      exact: this.#exact,
    });
    if (isUnknown) this.unknownStop = stopReason;
    const only = this.#stopSequences.length === 1 ? this.#stopSequences[0] : undefined;
    const stop_sequence = delta.stop_sequence ?? (stopReason === "stop_sequence" ? only : undefined) ?? null;
    try {
      this.#writer.close(stopReason);
    } catch (cause) {
      throw brokenCall(cause);
    }
    const counts = this.#count(usage);
    this.outputTokens = counts.output_tokens;
    this.#writer.pass({
      ...rest,
      type: "message_delta",
      delta: { ...delta, stop_reason: stopReason, stop_sequence },
      usage: { ...counts, output_tokens: counts.output_tokens ?? 0 },
    });
    this.#writer.pass({ ...json, type: "message_stop" });
    this.#state = "after";
  }

  /** Stores the cost and input tokens of a usage report; returns the report for the client. */
  #count(usage: Counts): ReturnType<typeof readUsage>["report"] {
    const { report, cost, inputTokens } = readUsage(usage);
    this.cost = cost ?? this.cost;
    this.inputTokens = inputTokens ?? this.inputTokens;
    return report;
  }
}
