import type { FailureKind } from "./failure_kind.ts";
import type { SeenRequest } from "./traffic/seen_request.ts";
import { logLine } from "./log.ts";

/** Log record of one request, without its content, keys and query. */
export type RequestRecord = {
  requestId: string;
  /** Id of the request set by the client, or else its `requestId`. */
  correlationId: string;
  /** Id of the request at the upstream. */
  upstreamRequestId?: string | undefined;
  /** Ids of OpenTelemetry, if tracing is on. */
  traceId?: string | undefined;
  spanId?: string | undefined;
  /** Name of the client's key, or a reserved name of `config/gateway_keys.ts`. */
  client: string;
  /** Session id of Claude Code or opencode. */
  session?: string | undefined;
  method: string;
  path: string;
  status: number;
  /** Complete answer, failure, or disconnected client. */
  outcome: "finished" | "failed" | "left";
  /** Kind of the failure, if the request failed. */
  failure?: FailureKind | undefined;
  /** True if the answer was an event stream. */
  streamed?: boolean | undefined;
  /** Time from the arrival of the request to the end of its answer. */
  milliseconds: number;
  /** Time from the arrival to the status and headers of the answer. */
  headersMilliseconds?: number | undefined;
  /** Time from the arrival to the first event of the model's answer. */
  firstEventMilliseconds?: number | undefined;
  /** Model in the request. */
  model?: string | undefined;
  /** Upstream and model that answered. */
  answeredBy?: string | undefined;
  /** API that the upstream was called with. */
  dialect?: string | undefined;
  /** Requests to upstreams for the message, retries not included. */
  turns?: number | undefined;
  /** Requests that were sent once more, unchanged. */
  retries?: number | undefined;
  /** Models that failed before this one answered. */
  fallbacks?: number | undefined;
  /** Models that would have been asked before this one, but were skipped after failures. */
  skipped?: string[] | undefined;
  /** Changes after refusals of the upstream. */
  remedies?: string[] | undefined;
  /** Names of the tools that the gateway ran, one for each call. */
  tools?: string[] | undefined;
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  cachedTokens?: number | undefined;
  stopReason?: string | undefined;
  /** Cost of the answer in USD, as the upstream reports it. */
  cost?: number | undefined;
  /** The entries of the loss report; the line has the first 20. */
  loss?: string[] | undefined;
  /** Error that failed the request; it is logged with its causes. */
  error?: unknown;
};

/** A finished request, as it is reported to the log, the metrics and the other records. */
export interface FinishedRequest {
  record: RequestRecord;
  /** Endpoint of the table of routes, such as `POST /v1/messages`; `other` if there is none. */
  route: string;
  /** Headers of the client's request. They hold its key. */
  headers: Headers;
  /** Cost of the turns in USD: reported, or else by list price; undefined if unknown. */
  usd: number | undefined;
  /** Error that failed the request. */
  error?: unknown;
  /** The message on the operator's page, which shows messages only. */
  seen?: SeenRequest | undefined;
  /** Content of the request, if bodies are logged. */
  content?: { request: unknown; answer: unknown } | undefined;
}

/**
 * Logs one line for a finished request.
 *
 * The level is `error` from status 500, `warning` for any other failure, else `info`. Texts are redacted and cut to 300
 * characters, lists to 20 items: a line has at most 16 KiB.
 */
export function logRequest(record: RequestRecord): void {
  const failed = record.status >= 400 || record.error !== undefined;
  logLine("request", record.status >= 500 ? "error" : failed ? "warning" : "info", record);
}
