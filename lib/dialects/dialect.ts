import type { StreamEvent } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import type { JsonObject } from "../base/json.ts";
import type { LossReport } from "./loss.ts";
import type { Adjustment } from "./adjustments/adjustment.ts";

/** One server-sent event of an upstream's stream, as received. */
export interface ServerSentEvent {
  /** Name of the event, if it has one. A bare line `error: …` counts as an event named `error`. */
  event?: string | undefined;
  data: string;
}

/** Known properties of a model; a missing field means unknown. */
export interface ModelFacts {
  /** Maximum tokens of request and answer together. */
  contextLength?: number | undefined;
  /** Maximum tokens of an answer. */
  maxOutput?: number | undefined;
  /** Chat-completions parameters that the model accepts. */
  parameters?: ReadonlySet<string> | undefined;
  /** Input types that the model accepts: `text`, `image`, `file`, `audio`. */
  inputs?: ReadonlySet<string> | undefined;
  /** Reasoning options, if listed: `mandatory` if it cannot be off, `budget` if it accepts a limit in tokens. */
  reasoning?: { efforts?: readonly string[] | undefined; mandatory: boolean; budget: boolean } | undefined;
  price?: ListPrice | undefined;
}

/** Prices in USD per token, but for `webSearch`. */
export interface ListPrice {
  input?: number | undefined;
  output?: number | undefined;
  /** Price of an input token read from the cache; by default the price of any input token. */
  cacheRead?: number | undefined;
  /** Price of an input token written to the cache; by default the price of any input token. */
  cacheWrite?: number | undefined;
  /** Input prices for requests of more than `above` input tokens; the last entry that applies is used. */
  inputTiers?: readonly { above: number; input: number }[] | undefined;
  /** Price of one web search by the model's provider, in USD. */
  webSearch?: number | undefined;
}

/** Data that a dialect needs for one turn, besides the request. */
export interface TurnContext {
  /** Name of the model at the upstream. */
  model: string;
  /** Upstream and model. Sealed reasoning is returned only to the origin that sent it. */
  origin: string;
  /** False removes `cache_control` from the request even if the host accepts it. */
  cacheControl?: boolean | undefined;
  /** True if earlier thinking is left out, because the upstream rejected it. */
  dropThinking?: boolean | undefined;
  /** Changes for limits of the host or model, known beforehand or learned from refusals. */
  adjustments?: readonly Adjustment[] | undefined;
  /** Name of the model in the client's request; the answer reports this name. */
  alias: string;
  facts: ModelFacts;
  /** Session ID of the client, if it sent one. */
  sessionId?: string | undefined;
  /** Estimated input tokens, for the usage at the start of the stream. */
  inputTokens: number;
  /** True if tool arguments of the wrong type are converted to the type in the tool's schema. */
  coerceToolInput?: boolean | undefined;
  /**
   * Parsing of tool calls that a model writes into its text: `auto` (the default) for hosts known to pass them on as
   * text, `on` for all hosts, `off` for none. Claude's text is never parsed.
   */
  toolCallsInText?: "auto" | "on" | "off" | undefined;
  /**
   * True if `null` in the place of optional properties is removed from the answer. Strict mode has no optional
   * properties: a schema that has some fits only as one in which they are required and may be `null`.
   */
  restoresNulls?: boolean | undefined;
  /** Creates an unguessable ID with the given prefix. */
  newId(prefix: string): string;
  /** Report of what the upstream cannot receive. */
  loss: LossReport;
}

/** State machine that converts one answer of an upstream to events; it has no side effects. */
export interface AnswerReader {
  /**
   * Reads one event of the upstream's stream.
   *
   * @throws {ApiError} if the event reports a failure or cannot be read.
   */
  push(event: ServerSentEvent): void;
  /**
   * Reads a complete JSON answer, which the upstream sent instead of a stream.
   *
   * @throws {ApiError} if the answer reports a failure or cannot be read.
   */
  pushNonStreamed(answer: unknown): void;
  /**
   * Handles the end of the stream.
   *
   * @throws {ApiError} if the answer is incomplete.
   */
  end(): void;
  /** True once the upstream has marked its answer as complete. What follows is ignored. */
  readonly done: boolean;
  /**
   * True once the upstream has given a reason to finish. Usage or an error may still follow. Unset if the API always
   * marks the end.
   */
  readonly finishing?: boolean;
  /** Reason to finish that no table has, if the upstream gave one. */
  readonly unknownStop?: string | undefined;
  /** Returns the pending events and removes them. */
  take(): StreamEvent[];
  /** Cost of the answer in USD; `undefined` until the upstream reports it. */
  readonly cost: number | undefined;
  /** Input tokens of the request, cached ones included; `undefined` until the upstream reports them. */
  readonly inputTokens: number | undefined;
  /** Output tokens of the answer; `undefined` until the upstream reports them. Some report them more than once. */
  readonly outputTokens: number | undefined;
}

/** What is known of a dialect before it is loaded. */
export interface DialectInfo {
  name: "openai" | "anthropic" | "responses";
  /** Path of the endpoint, relative to the upstream's base URL. */
  path: string;
  /** Path of the endpoint that counts the input tokens of a request; unset if the API has none. */
  countPath?: string;
  /** Returns true if requests for this model are sent with `safeguards`. Unset: never. */
  sendsSafeguards?(model: string): boolean;
  /** Loads the dialect with the first request in it. */
  load(): Promise<Dialect>;
}

/** Format of one kind of upstream. */
export interface Dialect {
  name: DialectInfo["name"];
  /** Converts a request to the upstream's body, which always requests a stream. */
  toBody(request: MessagesRequest, context: TurnContext): JsonObject;
  createReader(request: MessagesRequest, context: TurnContext): AnswerReader;
  /** Converts a request to the body of the endpoint that counts its input tokens; unset if the API has none. */
  toCountBody?(request: MessagesRequest, context: TurnContext): JsonObject;
}
