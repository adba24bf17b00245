import { ApiError } from "../../../base/errors.ts";
import { CHARS_PER_TOKEN } from "../../../base/chars_per_token.ts";
import { brokenCall, incompleteAnswer, unreadableAnswer } from "../../errors/unreadable.ts";
import * as v from "valibot";
import type { StreamEvent } from "../../../anthropic/events.ts";
import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { MessageWriter } from "../../../anthropic/writer.ts";
import { isObject, tryJson } from "../../../base/json.ts";
import { createAnswerWriter } from "../../answer_writer.ts";
import type { AnswerReader, ServerSentEvent } from "../../dialect.ts";
import { isFailure } from "../../errors/error_shapes.ts";
import { toUpstreamError } from "../../errors/upstream_error.ts";
import type { HostContext } from "../chat.ts";
import { type ChatDelta, type ChatUsage, type Choice, Chunk } from "./chunk.ts";
import { ContentReader } from "./content.ts";
import { Ending } from "./ending.ts";
import { collectSchemas } from "../../offered_tools/offer_tools.ts";
import { findOutputFormat } from "../request/format.ts";
import { ThoughtSignatures } from "./thought_signatures.ts";
import { ToolCallReader } from "./tool_calls.ts";
import { toCost, toCounts } from "./usage.ts";

/** Converts a chat completion, whole or streamed, to the events of an Anthropic message. */
export class ChatAnswerReader implements AnswerReader {
  readonly #writer: MessageWriter;
  readonly #content: ContentReader;
  readonly #calls: ToolCallReader;
  readonly #signatures: ThoughtSignatures | undefined;
  readonly #ending: Ending;
  readonly #maxTokens: number;
  /** The last message beside an empty delta. It is the answer if the deltas have none. */
  #unsent: ChatDelta | undefined;
  #argumentChars = 0;
  #marked = false;
  /** False, because an error may follow `[DONE]`. */
  readonly done = false;
  /** Cost of the answer in USD, if the upstream reports it. */
  cost: number | undefined;
  /** Input tokens including those of the cache, if the upstream reports them. */
  inputTokens: number | undefined;
  /** Output tokens including those of thinking, if the upstream reports them. */
  outputTokens: number | undefined;

  constructor(request: MessagesRequest, context: HostContext) {
    this.#writer = createAnswerWriter(context);
    this.#content = new ContentReader(this.#writer, request, context);
    this.#calls = new ToolCallReader(this.#writer, {
      names: context.names,
      schemas: context.coerceToolInput ? collectSchemas(request) : new Map(),
      answerTool: findOutputFormat(request, context)?.tool,
      newId: context.newId,
    });
    this.#signatures = context.features.thoughtSignatures ? new ThoughtSignatures(context.newId) : undefined;
    this.#ending = new Ending(request.stop_sequences ?? []);
    this.#maxTokens = Math.min(request.max_tokens, context.facts.maxOutput ?? Infinity);
  }

  get finishing(): boolean {
    return this.#ending.reached || this.#marked;
  }

  get unknownStop(): string | undefined {
    return this.#ending.unknown;
  }

  take(): StreamEvent[] {
    return this.#writer.take();
  }

  push({ event, data }: ServerSentEvent): void {
    const text = data.trim();
    if (text === "[DONE]") {
      this.#marked = true;
      return;
    }
    if (text === "" && event !== "error") return;
    const json = tryJson(text);
    if (event === "error") return this.#failWith(json ?? { message: data });
    if (json === undefined) throw unreadableAnswer("an event is not JSON");
    this.#chunk(json);
  }

  pushNonStreamed(answer: unknown): void {
    // A whole message goes before an empty delta beside it.
    const choices = isObject(answer) && Array.isArray(answer.choices) ? answer.choices : [];
    const whole = choices.map((choice) =>
      isObject(choice) && isObject(choice.message) ? { ...choice, delta: undefined } : choice
    );
    this.#chunk(isObject(answer) && choices.length > 0 ? { ...answer, choices: whole } : answer);
    this.#marked = true;
  }

  end(): void {
    if (this.#outputChars === 0 && !this.#calls.hasCalls && this.#unsent) this.#pushDelta(this.#unsent);
    const finished = this.#ending.reached ||
      (this.#marked && (this.#outputChars > 0 || this.#calls.hasCalls));
    if (!finished) throw incompleteAnswer();
    this.#calls.end();
    const textCalls = this.#content.end({ complete: !this.#calls.hasCalls && !this.#ending.isCut });
    textCalls.forEach(({ name, input }, index) =>
      this.#calls.push({ index, function: { name, arguments: input } })
    );
    if (this.outputTokens === undefined) {
      this.#writer.usage({ output_tokens: Math.max(1, Math.ceil(this.#outputChars / CHARS_PER_TOKEN)) });
    }
    this.#endMessage();
  }

  #endMessage(): void {
    const stopReason = this.#ending.toStopReason({
      hasCalls: this.#calls.hasCalls,
      hasContent: this.#writer.hasContent,
    });
    try {
      this.#writer.end(stopReason, this.#ending.stopSequence);
    } catch (cause) {
      if (cause instanceof ApiError) throw cause;
      // Some hosts do not report that an answer reached its token limit if it ends in a tool call.
      if ((this.outputTokens ?? 0) >= this.#maxTokens) return this.#writer.end("max_tokens");
      // An answer that is not JSON is passed on as it is. The check of structured outputs requests it again.
      if (this.#writer.endJson()) return this.#endMessage();
      throw brokenCall(cause);
    }
  }

  #chunk(json: unknown): void {
    if (isFailure(json)) this.#failWith(json);
    for (const one of [json].flat()) {
      if (!isObject(one) || !CHOICE_TYPES.has(typeof one.choices)) {
        throw unreadableAnswer("it is not a chat completion");
      }
      const chunk = v.parse(Chunk, one);
      // After the end, only usage and errors count.
      if (!this.#marked) { for (const choice of chunk.choices ?? []) this.#choice(choice); }
      this.#content.cite(chunk);
      const usage = chunk.usage ?? chunk.x_groq?.usage;
      if (usage) this.#count(usage);
      this.cost = toCost(chunk.cost) ?? this.cost;
    }
  }

  /**
   * Throws the upstream's error.
   *
   * An error after a limit or a refusal is ignored. A refusal after the first output does not fail: it ends the answer.
   */
  #failWith(body: unknown): void {
    if (this.#ending.isCut) return;
    const failure = toUpstreamError({ body });
    if (!failure.refused || this.#outputChars === 0) throw failure;
    this.#ending.finish = "content_filter";
  }

  #choice(choice: Choice): void {
    if (choice.index) return; // the request asks for one completion
    if (choice.error) this.#failWith({ error: choice.error });
    const { message, text } = choice;
    const delta = choice.delta ?? wholeMessageDelta(message ?? (text ? { content: text } : undefined));
    if (delta) this.#pushDelta(delta);
    if (choice.delta && message) this.#unsent = wholeMessageDelta(message);
    if (choice.usage) this.#count(choice.usage);
    this.#ending.push(choice);
  }

  #pushDelta(delta: ChatDelta): void {
    this.#content.push(delta);
    if (delta.refusal) this.#ending.refused = true;
    const older = delta.function_call ? [{ index: 0, function: delta.function_call }] : [];
    for (const call of delta.tool_calls ?? older) {
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

  #count(usage: ChatUsage): void {
    const { report, input, output } = toCounts(usage);
    this.inputTokens = input ?? this.inputTokens;
    this.outputTokens = output ?? this.outputTokens;
    this.#writer.usage(report);
    this.cost = toCost(usage.cost) ?? this.cost;
  }
}

/** Types of `choices` in a completion: a list, `null` or nothing. */
const CHOICE_TYPES = new Set(["object", "undefined"]);

/** Converts a whole message to the only delta of a stream, in which the calls have their position as `index`. */
function wholeMessageDelta(message: Choice["message"]): ChatDelta | undefined {
  if (!message?.tool_calls) return message ?? undefined;
  return { ...message, tool_calls: message.tool_calls.map((call, index) => ({ ...call, index })) };
}
