import { CHARS_PER_TOKEN } from "../../../base/chars_per_token.ts";
import { unreadableAnswer } from "../../errors/unreadable.ts";
import * as v from "valibot";
import type { StopReason, StreamEvent } from "../../../anthropic/events.ts";
import type { MessagesRequest } from "../../../anthropic/schema.ts";
import { MessageWriter } from "../../../anthropic/writer.ts";
import { ApiError } from "../../../base/errors.ts";
import { isObject, type JsonObject, tryJson } from "../../../base/json.ts";
import type { AnswerReader, ServerSentEvent } from "../../dialect.ts";
import { toUpstreamError } from "../../errors/upstream_error.ts";
import type { HostContext } from "../chat.ts";
import { type ChatDelta, type ChatUsage, type Choice, Chunk } from "./chunk.ts";
import { ContentReader } from "./content.ts";
import { collectSchemas } from "../offer_tools.ts";
import { findOutputFormat } from "../request/format.ts";
import { ThoughtSignatures } from "./thought_signatures.ts";
import { ToolCallReader } from "./tool_calls.ts";
import { toCounts } from "./usage.ts";

/** Finish reasons of OpenAI and other hosts for a limit or a refusal. All others mean a normal end. */
const STOP_REASONS = new Map<string, StopReason>([
  ["length", "max_tokens"],
  ["max_tokens", "max_tokens"],
  ["model_length", "model_context_window_exceeded"],
  ["content_filter", "refusal"],
  ["refusal", "refusal"],
]);

/** Converts a chat completion, whole or streamed, to the events of an Anthropic message. */
export class ChatAnswerReader implements AnswerReader {
  readonly #writer: MessageWriter;
  readonly #content: ContentReader;
  readonly #calls: ToolCallReader;
  readonly #signatures: ThoughtSignatures | undefined;
  readonly #stopSequences: readonly string[];
  readonly #maxTokens: number;
  #finish: string | undefined;
  #nativeFinish: string | undefined;
  #stopSequence: string | null = null;
  #refused = false;
  #argumentChars = 0;
  #hasUsage = false;
  #outputTokens = 0;
  #done = false;
  /** Cost of the answer in USD, if the upstream reports it. */
  cost: number | undefined;
  /** Input tokens including those of the cache, if the upstream reports them. */
  inputTokens: number | undefined;

  constructor(request: MessagesRequest, context: HostContext) {
    const usage = {
      input_tokens: context.inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: 0,
    };
    this.#writer = new MessageWriter({ id: context.newId("msg_"), model: context.alias, usage });
    this.#content = new ContentReader(this.#writer, request, context);
    this.#calls = new ToolCallReader(this.#writer, {
      names: context.names,
      schemas: context.coerceToolInput ? collectSchemas(request) : new Map(),
      answerTool: findOutputFormat(request, context)?.tool,
      newId: context.newId,
    });
    this.#signatures = context.features.thoughtSignatures ? new ThoughtSignatures(context.newId) : undefined;
    this.#stopSequences = request.stop_sequences ?? [];
    this.#maxTokens = Math.min(request.max_tokens, context.facts.maxOutput ?? Infinity);
  }

  get done(): boolean {
    return this.#done;
  }

  take(): StreamEvent[] {
    return this.#writer.take();
  }

  push({ event, data }: ServerSentEvent): void {
    if (this.#done) return;
    const text = data.trim();
    if (text === "[DONE]") {
      this.#done = true;
      return;
    }
    if (text === "" && event !== "error") return;
    const json = tryJson(text);
    if (event === "error") {
      return isObject(json) ? this.#failWith(json.error ?? json, json) : this.#failWith({ message: data });
    }
    if (json === undefined) throw unreadableAnswer("an event is not JSON");
    this.#chunk(json);
  }

  pushNonStreamed(answer: unknown): void {
    this.#chunk(answer);
    this.#done = true;
  }

  end(): void {
    const finished = this.#finish !== undefined ||
      (this.#done && (this.#outputChars > 0 || this.#calls.hasCalls));
    if (!finished) {
      throw new ApiError(
        "api_error",
        "Cannot finish the answer: the upstream's stream ended before its answer did",
        {
          status: 502,
        },
      );
    }
    this.#calls.end();
    const textCalls = this.#content.end({
      complete: !this.#calls.hasCalls && !STOP_REASONS.has(this.#finish ?? ""),
    });
    textCalls.forEach(({ name, input }, index) =>
      this.#calls.push({ index, function: { name, arguments: input } })
    );
    if (!this.#hasUsage) {
      this.#writer.usage({ output_tokens: Math.max(1, Math.ceil(this.#outputChars / CHARS_PER_TOKEN)) });
    }
    this.#endMessage();
  }

  #endMessage(): void {
    try {
      this.#writer.end(this.#stopReason(), this.#stopSequence);
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      if (this.#limitReached) return this.#writer.end("max_tokens");
      // An answer that is not JSON is passed on as it is. The check of structured outputs requests it again.
      if (this.#writer.endJson()) return this.#endMessage();
      throw new ApiError(
        "api_error",
        "Cannot use the model's tool call: its arguments are not one JSON object",
        {
          status: 502,
          cause,
        },
      );
    }
  }

  #chunk(json: unknown): void {
    if (isObject(json)) this.#failWith(json.object === "error" ? json : json.error, json);
    if (!v.is(Chunk, json)) throw unreadableAnswer("it is not a chat completion");
    for (const choice of json.choices ?? []) this.#choice(choice);
    this.#content.cite(json);
    const usage = json.usage ?? json.x_groq?.usage;
    if (usage) this.#count(usage);
  }

  /**
   * Throws the upstream's error, if there is one.
   *
   * An error after `length` or `content_filter` is ignored. A refusal after the first output does not fail: it ends the
   * answer as `content_filter`.
   */
  #failWith(error: unknown, container: JsonObject = {}): void {
    const cut = this.#finish === "length" || this.#finish === "content_filter";
    if (!error || cut) return;
    const failure = toUpstreamError({ body: { ...container, error } });
    if (!failure.refused || this.#outputChars === 0) throw failure;
    this.#finish = "content_filter";
  }

  #choice(choice: Choice): void {
    if (choice.index) return; // the request asks for one completion
    this.#failWith(choice.error);
    const delta = choice.delta ?? wholeMessageDelta(choice.message);
    if (delta) this.#pushDelta(delta);
    if (choice.native_finish_reason) this.#nativeFinish = choice.native_finish_reason;
    const stop = choice.stop_reason;
    if (choice.usage) this.#count(choice.usage);
    if (typeof stop === "string" && this.#stopSequences.includes(stop)) this.#stopSequence = stop;
    const finish = choice.finish_reason;
    if (!finish) return;
    if (finish === "error") {
      this.#failWith(choice.error ?? { message: "The upstream failed in the middle of its answer" });
    }
    this.#finish ??= finish;
  }

  #pushDelta(delta: ChatDelta): void {
    this.#content.push(delta);
    if (delta.refusal) this.#refused = true;
    for (const call of delta.tool_calls ?? []) {
      const { piece, signed } = this.#signatures?.read(call) ?? { piece: call };
      if (signed) this.#content.sign(signed);
      if (this.#calls.startsCall(piece)) this.#content.close();
      this.#argumentChars += this.#calls.push(piece);
    }
  }

  /** Number of characters of text, reasoning and arguments. */
  get #outputChars(): number {
    return this.#content.chars + this.#argumentChars;
  }

  #stopReason(): StopReason {
    const limit = STOP_REASONS.get(this.#finish ?? "");
    if (limit) return limit;
    if (this.#calls.hasCalls) return "tool_use";
    if (this.#refused) return "refusal";
    if (this.#nativeFinish === "stop_sequence" || this.#stopSequence !== null) {
      const [first, second] = this.#stopSequences;
      if (second === undefined) this.#stopSequence ??= first ?? null;
      return "stop_sequence";
    }
    return "end_turn";
  }

  /** True if the answer reached its token limit. Some hosts do not report that if it ends in a tool call. */
  get #limitReached(): boolean {
    const native = STOP_REASONS.get(this.#nativeFinish?.toLowerCase() ?? "");
    return native === "max_tokens" || this.#outputTokens >= this.#maxTokens;
  }

  #count(usage: ChatUsage): void {
    const { report, input, output } = toCounts(usage);
    this.inputTokens = input ?? this.inputTokens;
    if (output !== undefined) {
      this.#outputTokens = output;
      this.#hasUsage = true;
    }
    this.#writer.usage(report);
    if (typeof usage.cost === "number") this.cost = usage.cost;
  }
}

/** Converts a whole message to the only delta of a stream, in which the calls have their position as `index`. */
function wholeMessageDelta(message: Choice["message"]): ChatDelta | undefined {
  if (!message?.tool_calls) return message ?? undefined;
  return { ...message, tool_calls: message.tool_calls.map((call, index) => ({ ...call, index })) };
}
