import type { ErrorType } from "../../base/errors.ts";
import { isObject } from "../../base/json.ts";

/** Types of errors of Anthropic's servers. */
const SERVER_ERROR_TYPES: readonly ErrorType[] = ["api_error", "timeout_error", "overloaded_error"];

/**
 * Returns type and status of a server's error that is in Anthropic's form already, such as 503 `api_error`. Other
 * errors are converted by their status.
 */
export function keptServerError(
  body: unknown,
  status: number | undefined,
): { type: ErrorType; status: number } | undefined {
  if (status === undefined || status < 500 || status > 599) return undefined;
  if (!isObject(body) || body.type !== "error" || !isObject(body.error)) return undefined;
  const { type } = body.error;
  const known = SERVER_ERROR_TYPES.find((name) => name === type);
  return known && { type: known, status };
}

/** What the headers of a response say about a repeat, for the options of an `ApiError`. */
export function readRetryHeaders(
  headers: Headers | undefined,
): { retryable?: boolean; headers?: Record<string, string> } {
  const shouldRetry = headers?.get("x-should-retry");
  const delay = headers?.get("retry-after-ms") ?? "";
  const kept = {
    ...(shouldRetry === "true" && { "x-should-retry": "true" }),
    ...(/^\d{1,9}(\.\d{1,9})?$/.test(delay) && { "retry-after-ms": delay }),
  };
  return {
    ...((shouldRetry === "true" || shouldRetry === "false") && { retryable: shouldRetry === "true" }),
    ...(Object.keys(kept).length > 0 && { headers: kept }),
  };
}
