import { ApiError, toApiError, toErrorBody } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { NAME, VERSION } from "../../base/version.ts";
import { type Mask, maskJson } from "../mask.ts";
import type { FinishedRequest } from "../request_record.ts";

/** Record of a failed request. Credentials are masked. */
export interface ErrorEntry {
  /** Time in ISO 8601. */
  timestamp: string;
  correlation_id: string;
  /** Anthropic's type of the error, such as `rate_limit_error`. */
  error_type: string;
  error_message: string;
  /** Stack of the error and of its causes. */
  stack_trace: string;
  /** Method, path, headers without credentials, model; with `LOG_BODIES` also the first messages. */
  request: JsonObject;
  response: { status_code: number; headers: Record<string, string>; body: JsonObject };
  /** Fields of the request's log line. */
  context: JsonObject;
  environment: { service: string; version: string; pid: number };
}

/** Returns the entry of a failed request. */
export function toErrorEntry(
  { record, headers, error, content }: FinishedRequest,
  { mask, now, pid }: { mask: Mask; now: number; pid: number },
): ErrorEntry {
  const { requestId, correlationId, method, path, model, status, error: _error, ...context } = record;
  const apiError = toApiError(error);
  const body = toErrorBody(apiError, requestId);
  const shown = SHOWN_HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value.slice(0, MAX_HEADER_CHARS)]];
  });
  const entry = {
    timestamp: new Date(now).toISOString(),
    correlation_id: correlationId,
    error_type: error instanceof ApiError ? error.type : error instanceof Error ? error.name : "unknown",
    error_message: apiError === error ? apiError.message : String(error).slice(0, MAX_MESSAGE_CHARS),
    stack_trace: toStackTrace(error),
    request: {
      method,
      path: path.slice(0, MAX_HEADER_CHARS),
      headers: Object.fromEntries(shown),
      model: model?.slice(0, MAX_HEADER_CHARS),
      ...(content && toShownMessages(content.request)),
    },
    response: {
      status_code: status,
      headers: {
        "request-id": requestId,
        ...(apiError.retryAfter !== undefined && { "retry-after": apiError.retryAfter }),
      },
      body: { ...body },
    },
    context: { request_id: requestId, ...context, loss: record.loss?.slice(0, MAX_ITEMS) },
  };
  // The mask only changes texts, so the shape of the entry stays.
  const masked = maskJson(entry, mask) as typeof entry;
  return { ...masked, environment: { service: NAME, version: VERSION, pid } };
}

/** Headers that may help to find the cause, and hold no credentials. */
const SHOWN_HEADERS = [
  "user-agent",
  "content-type",
  "content-length",
  "accept",
  "anthropic-version",
  "anthropic-beta",
  "x-claude-code-session-id",
  "x-session-id",
  "x-gateway-tools",
  "x-stainless-retry-count",
  "x-stainless-timeout",
];

const MAX_HEADER_CHARS = 300;
const MAX_MESSAGE_CHARS = 2000;
const MAX_STACK_CHARS = 8000;
const MAX_ITEMS = 20;
const MAX_MESSAGES = 10;
const MAX_CONTENT_CHARS = 1000;

function toStackTrace(error: unknown): string {
  const stacks: string[] = [];
  for (let at = error; at instanceof Error && stacks.length < 5; at = at.cause) {
    stacks.push(at.stack ?? String(at));
  }
  return stacks.join("\ncaused by: ").slice(0, MAX_STACK_CHARS);
}

/** Returns the first messages of a request, each cut. */
function toShownMessages(request: unknown): { messages?: string[] } {
  const messages = typeof request === "object" && request !== null && "messages" in request
    ? request.messages
    : undefined;
  if (!Array.isArray(messages)) return {};
  const shown = messages.slice(0, MAX_MESSAGES);
  return { messages: shown.map((message) => (JSON.stringify(message) ?? "").slice(0, MAX_CONTENT_CHARS)) };
}
