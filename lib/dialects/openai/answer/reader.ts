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
import { isErrorValue, isFailure } from "../../errors/error_shapes.ts";
import { toUpstreamError } from "../../errors/upstream_error.ts";
import type { HostContext } from "../chat.ts";
import { type ChatDelta, type ChatUsage, type Choice, Chunk } from "./chunk.ts";
import { toPlainChunk } from "./plain_chunk.ts";
import { ContentReader } from "./content.ts";
import { Ending } from "./ending.ts";
import { collectSchemas } from "../../offered_tools/offer_tools.ts";
import { findOutputFormat } from "../request/format.ts";
import { ThoughtSignatures } from "./thought_signatures.ts";
import { SentText } from "./sent_text.ts";
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
  /** The last message beside the deltas. What they lack of it is added at the end. */
  #unsent: ChatDelta | undefined;
  /** The text so far, to find what a message beside the deltas adds. */
  readonly #sent = new SentText();
  /** The first choice with text, whose text is read. */
  #textChoice: number | undefined;
  /** The other choices with text. */
  readonly #otherTextChoices = new Set<number>();
  /** The first choice with calls. */
  #callChoice: number | undefined;
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
    this.#read(json);
  }

  pushNonStreamed(answer: unknown): void {
    // A whole message goes before an empty delta beside it.
    const choices = isObject(answer) && Array.isArray(answer.choices) ? answer.choices : [];
    const whole = choices.map((choice) =>
      isObject(choice) && isObject(choice.message) ? { ...choice, delta: undefined } : choice
    );
    this.#read(isObject(answer) && choices.length > 0 ? { ...answer, choices: whole } : answer);
    this.#marked = true;
  }

  end(): void {
    if (this.#unsent) this.#pushDelta(this.#withoutSent(this.#unsent));
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
      hasOutput: this.#writer.hasOutput,
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

  #read(json: unknown): void {
    const plain = isObject(json) ? toPlainChunk(json) : undefined;
    if (plain !== undefined) return this.#readChoices(plain);
    if (isFailure(json)) this.#failWith(json);
    for (const one of [json].flat()) {
      if (!isObject(one) || !CHOICE_TYPES.has(typeof one.choices)) {
        throw unreadableAnswer("it is not a chat completion");
      }
      this.#readChunk(v.parse(Chunk, one));
    }
  }

  #readChunk(chunk: Chunk): void {
    this.#readChoices(chunk);
    this.#content.cite(chunk);
    if (isErrorValue(chunk.x_groq?.error)) this.#failWith({ error: chunk.x_groq?.error });
    const usage = chunk.usage ?? chunk.x_groq?.usage;
    if (usage) this.#count(usage);
    this.cost = toCost(chunk.cost) ?? this.cost;
  }

  /** Reads the choices of a chunk. After the end, only usage and errors count. */
  #readChoices({ choices }: Chunk): void {
    if (!this.#marked) { for (const choice of choices ?? []) this.#choice(choice); }
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
    const index = choice.index ?? 0;
    if (choice.error) this.#failWith({ error: choice.error });
    const { text } = choice;
    const message = wholeMessageDelta(choice.message ?? undefined);
    // MiniMax repeats the whole message at the end.
    const isRepeated = Boolean(choice.finish_reason && message?.content) && !this.#sent.isEmpty &&
      this.#sent.restOf(message?.content) !== undefined;
    const own = choice.delta ?? (isRepeated ? undefined : message ?? (text ? { content: text } : undefined));
    const delta = own && this.#ofOneChoice(own, index);
    if (delta) this.#pushDelta(delta);
    if (message && index === 0 && (choice.delta || isRepeated)) this.#unsent = message;
    if (choice.usage) this.#count(choice.usage);
    this.#ending.push(choice);
  }

  /**
   * Returns the parts of a delta that belong to the answer. Copilot sends the text of an answer in one choice and its
   * calls in others. Other choices are further answers, which the request does not ask for.
   */
  #ofOneChoice(delta: ChatDelta, index: number): ChatDelta | undefined {
    const { tool_calls: calls } = delta;
    if (delta.content || delta.refusal) {
      this.#textChoice ??= index;
      if (index !== this.#textChoice) this.#otherTextChoices.add(index);
    }
    if (calls?.length || delta.function_call) this.#callChoice ??= index;
    const hasText = index === (this.#textChoice ?? 0);
    // Without calls, there are none to leave out.
    if (hasText && calls === undefined && delta.function_call === undefined) return delta;
    const hasCalls = index === this.#callChoice ||
      (index !== this.#textChoice && !this.#otherTextChoices.has(index));
    if (hasText && hasCalls) return delta;
    if (hasText) return { ...delta, tool_calls: undefined, function_call: undefined };
    return hasCalls ? { tool_calls: calls, function_call: delta.function_call } : undefined;
  }

  /** Returns what a message beside the deltas adds to them: all, the rest of its text, or its calls. */
  #withoutSent(message: ChatDelta): ChatDelta {
    if (this.#outputChars === 0 && !this.#calls.hasCalls) return message;
    const calls = this.#calls.hasCalls ? {} : { tool_calls: message.tool_calls };
    return { content: this.#sent.restOf(message.content) ?? "", ...calls };
  }

  #pushDelta(delta: ChatDelta): void {
    this.#sent.push(delta.content);
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
