import type { TurnObserver, TurnStart } from "./request_observer.ts";

/** Ids of a trace and of a span within it, in hexadecimal digits, as in the header `traceparent`. */
export interface TraceIds {
  traceId: string;
  spanId: string;
}

/** Trace of one request. Without a provider of OpenTelemetry, it is {@linkcode UNTRACED}. */
export interface RequestTrace {
  /** Ids of the request's span; `undefined` if tracing is off. */
  readonly ids: TraceIds | undefined;
  /** Runs a function as a part of the trace. */
  run<Result>(work: () => Result): Result;
  /** Names the request's span after its route. */
  setRoute(route: string): void;
  startTurn(turn: TurnStart & { session: string | undefined }): TurnObserver;
  /** Starts a tool call. The returned function ends it. */
  startTool(tool: string): (outcome: string) => void;
  /** Ends the request's span. `failed` is the type of the failure, if the request failed. */
  end(end: { status: number; failed: string | undefined }): void;
}

const UNTRACED_TURN: TurnObserver = { run: (send) => send(), end: () => {} };

/** The trace of a request that is not traced. */
export const UNTRACED: RequestTrace = {
  ids: undefined,
  run: (work) => work(),
  setRoute: () => {},
  startTurn: () => UNTRACED_TURN,
  startTool: () => () => {},
  end: () => {},
};
