/** What is known of a turn when it starts. */
export interface TurnStart {
  /** Name of the upstream. */
  upstream: string;
  /** Base URL of the upstream. */
  baseUrl: string;
  /** The model's name at the upstream. */
  model: string;
  /** API that the upstream is called with: `anthropic`, `openai` or `responses`. */
  dialect: string;
  maxTokens: number;
}

/** What is known of a turn at its end. */
export interface TurnEnd {
  /** Usage of the turn; undefined if the upstream rejected the request. */
  usage?: { inputTokens: number; outputTokens: number } | undefined;
  stopReason?: string | undefined;
  /** Failure of the turn. */
  error?: unknown;
}

/** A running turn: one request to an upstream and its answer. */
export interface TurnObserver {
  /** Runs the sending of the request, as a part of the turn's trace. */
  run<Result>(send: () => Promise<Result>): Promise<Result>;
  /** Ends the turn. Later calls have no effect. */
  end(end: TurnEnd): void;
}

/** Receives what happens while a request is answered: for its log line, the metrics and the trace. */
export interface RequestObserver {
  /** A request is sent to an upstream. */
  startTurn(turn: TurnStart): TurnObserver;
  /** A tool starts. The returned function is called when it ends. */
  startTool(tool: string): (outcome: string) => void;
  /** A request is sent once more, unchanged, after a failure of the upstream and a wait of `waited` milliseconds. */
  onRetry(upstream: string, retry: { status: number | undefined; waited: number }): void;
  /**
   * A request is sent once more, changed as the upstream's refusal shows. `change` has the form `drop_parameter stop`.
   */
  onRemedy(change: string): void;
}

/** Observer of calls that belong to no request, such as those of a client of the tools over stdio. */
export const UNOBSERVED: RequestObserver = {
  startTurn: () => ({ run: (send) => send(), end: () => {} }),
  startTool: () => () => {},
  onRetry: () => {},
  onRemedy: () => {},
};
