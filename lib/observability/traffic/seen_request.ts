import type { FailureKind } from "../failure_kind.ts";

/** State of a request. A refused one was stopped by a limit of the gateway, which is expected. */
export type RequestState =
  | "waiting"
  | "thinking"
  | "streaming"
  | "tool"
  | "finished"
  | "failed"
  | "refused"
  | "cancelled";

/** One step of answering a request. Times are in milliseconds since the request's start. */
export interface SeenStep {
  /**
   * `admission` checks the limits, reads the body and looks for the model. `routed` and `fallback` choose a model,
   * `turn` is one request to an upstream and its answer, `retry` repeats one unchanged, `remedy` repeats it with a
   * change, `tool` is a run of a tool.
   */
  kind: "admission" | "routed" | "fallback" | "turn" | "retry" | "remedy" | "tool";
  /** Name of the model with its upstream, of the tool, of the change. */
  name: string;
  from: number;
  /** Undefined while the step runs, and for what takes no time. */
  took?: number | undefined;
  /** `ok`, `failed`, or the outcome of a tool's run; undefined while it runs. */
  outcome?: string | undefined;
  /** HTTP status of a failed turn, as the client would receive it. */
  status?: number | undefined;
  /** Anthropic's type of the error of a failed turn. */
  errorType?: string | undefined;
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  stopReason?: string | undefined;
}

/** Prices of one token in USD. */
export interface SeenPrice {
  input?: number | undefined;
  output?: number | undefined;
  cacheRead?: number | undefined;
  cacheWrite?: number | undefined;
}

/**
 * What the operator's page shows of a message. It has no field for a prompt, an answer, the input or output of a tool,
 * a query, a header of the client or a key. Texts are cut. Times are in milliseconds since 1970.
 */
export interface SeenRequest {
  readonly id: string;
  readonly startedAt: number;
  firstEventAt?: number | undefined;
  endedAt?: number | undefined;
  /** Name of the client's key. */
  readonly client: string;
  readonly session?: string | undefined;
  /** Program and version of the client, from its user agent. */
  readonly program?: string | undefined;
  readonly correlationId: string;
  readonly traceId?: string | undefined;
  /** Model in the request. */
  model?: string | undefined;
  /** Upstream and model that answered, or were asked last. */
  answeredBy?: string | undefined;
  state: RequestState;
  /** Name of the tool that runs. */
  tool?: string | undefined;
  streamed?: boolean | undefined;
  status?: number | undefined;
  failure?: FailureKind | undefined;
  /** Anthropic's type of the error. */
  errorType?: string | undefined;
  /** Id of its group of errors. */
  errorGroup?: string | undefined;
  stopReason?: string | undefined;
  recorded: boolean;
  inputTokens?: number | undefined;
  cacheRead?: number | undefined;
  cacheWrite?: number | undefined;
  outputTokens?: number | undefined;
  /** Output tokens of thinking; they are among `outputTokens`. */
  thinkingTokens?: number | undefined;
  /** Characters that the model has sent. They estimate the output of a request that runs. */
  outputChars: number;
  /** Cost in USD: reported, or else by list price; undefined if unknown. */
  usd?: number | undefined;
  /** True if the upstream reported the cost. */
  costReported?: boolean | undefined;
  price?: SeenPrice | undefined;
  retries: number;
  fallbacks: number;
  remedies: number;
  turns: number;
  tools: number;
  /** Entries of the loss report, `path action`. */
  losses: readonly string[];
  moreLosses: number;
  readonly steps: SeenStep[];
  moreSteps: number;
  /** Headers of the answer that the gateway adds, `name: value`. */
  headers: readonly string[];
}

/** Maximum number of steps and losses of a request that are kept. */
export const MAX_STEPS = 64;
/** Maximum number of losses of a request that are kept. */
export const MAX_LOSSES = 50;
/** Maximum length of a name and of a path in characters. */
export const MAX_NAME_CHARS = 128;
/** Maximum length of a path of the loss report in characters. */
export const MAX_PATH_CHARS = 200;

/** Maximum length of the value of a header in characters. */
export const MAX_HEADER_CHARS = 1000;

/** True while a request is being answered. */
export function isRunning({ endedAt }: SeenRequest): boolean {
  return endedAt === undefined;
}
