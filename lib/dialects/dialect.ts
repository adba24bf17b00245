import type { StreamEvent } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import type { JsonObject } from "../base/json.ts";
import type { LossReport } from "./loss.ts";

/** One event of an upstream's stream, as the transport brought it. */
export interface ServerSentEvent {
  /** The event's name, where it has one. A line `error: …` outside of `data` counts as an event of that name. */
  event?: string | undefined;
  data: string;
}

/** What is known of a model; where a field is missing, nothing is assumed. */
export interface ModelFacts {
  /** Tokens that request and answer may have together. */
  contextLength?: number | undefined;
  /** Tokens that an answer may have. */
  maxOutput?: number | undefined;
  /** The parameters of chat completions that the model can be told. */
  parameters?: ReadonlySet<string> | undefined;
  /** What it can be shown: `text`, `image`, `file`, `audio`. */
  inputs?: ReadonlySet<string> | undefined;
  /** How it thinks, where it does. */
  reasoning?: { efforts?: readonly string[] | undefined; mandatory: boolean; budget: boolean } | undefined;
  price?: ListPrice | undefined;
}

/** USD for one token. */
export interface ListPrice {
  input?: number | undefined;
  output?: number | undefined;
  /** What a token costs that is read from the cache, or written to it; like any other of the input where nothing is said. */
  cacheRead?: number | undefined;
  cacheWrite?: number | undefined;
  /** What a token of the input costs where there are more than so many; a later entry goes before an earlier one. */
  inputTiers?: readonly { above: number; input: number }[] | undefined;
}

/** What one turn needs beside the request. */
export interface TurnContext {
  /** The model's name at the upstream. */
  model: string;
  /** The upstream and its model: what is thought comes back to both of them together, and to nobody else. */
  origin: string;
  /** Whether the model may be told what to cache, where its host can be. */
  cacheControl?: boolean | undefined;
  /** Whether nothing is told of what was thought earlier, because the upstream did not take it back. */
  dropThinking?: boolean | undefined;
  /** The model's name as the client asked for it: what the answer is said to come from. */
  alias: string;
  facts: ModelFacts;
  /** The client's session, where it names one. */
  sessionId?: string | undefined;
  /** The estimate of the request's tokens, for the usage at the start of the stream. */
  inputTokens: number;
  /** Whether tool arguments of the wrong type are put right by the tool's schema. */
  coerceToolInput?: boolean | undefined;
  /** Whether calls that a model says in its text are made: where its host has that habit, for all but Claude, or never. */
  toolCallsInText?: "auto" | "on" | "off" | undefined;
  /** Makes an unguessable id with the given prefix. */
  newId(prefix: string): string;
  /** Takes note of what the upstream cannot be told. */
  loss: LossReport;
}

/** Reads one answer of an upstream; a state machine without effects. */
export interface AnswerReader {
  /**
   * Takes one event of the upstream's stream.
   *
   * @throws {ApiError} if the upstream reports a failure, or what it says cannot be understood.
   */
  push(event: ServerSentEvent): void;
  /**
   * Takes an answer that came whole, as JSON, instead of a stream.
   *
   * @throws {ApiError} if it reports a failure, or cannot be understood.
   */
  pushNonStreamed(answer: unknown): void;
  /**
   * Takes the end of the stream.
   *
   * @throws {ApiError} if the upstream had not finished its answer.
   */
  end(): void;
  /** Whether the upstream has said that nothing more comes. */
  readonly done: boolean;
  /** Gives the events that have become due, each once. */
  take(): StreamEvent[];
  /** What the upstream says the answer cost, in USD, once it has said so. */
  readonly cost: number | undefined;
  /** What the upstream says the request was, in tokens, those of its cache included, once it has said so. */
  readonly inputTokens: number | undefined;
}

/** How one kind of upstream is spoken to. */
export interface Dialect {
  name: "openai" | "anthropic";
  /** The path of the endpoint, below the upstream's base URL. */
  path: string;
  /** Says the request in the upstream's words; it always asks for a stream. */
  toBody(request: MessagesRequest, context: TurnContext): JsonObject;
  createReader(request: MessagesRequest, context: TurnContext): AnswerReader;
}
