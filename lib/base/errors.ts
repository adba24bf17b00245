import type { JsonObject } from "./json.ts";

/** The `error.type` values of Anthropic's API. Source: https://platform.claude.com/docs/en/api/errors */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "conflict_error"
  | "request_too_large"
  | "rate_limit_error"
  | "api_error"
  | "timeout_error"
  | "overloaded_error";

const STATUSES: Record<ErrorType, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** Statuses after which the same request can only fail again, so that clients are told not to repeat it. */
const FINAL_STATUSES = new Set([400, 401, 402, 403, 404, 413, 422, 501]);

/** What an {@linkcode ApiError} may carry beside its type and message. */
export interface ApiErrorOptions {
  /** The HTTP status, where it is not the usual one of the type. */
  status?: number;
  /** Seconds (or an HTTP date) to wait, passed on as `retry-after`. */
  retryAfter?: string;
  /** Whether a repeat can help, where that does not follow from the status. */
  retryable?: boolean;
  /** Headers of the response beside those that follow from all this. */
  headers?: Readonly<Record<string, string>>;
  /** Anthropic's `error.details`, for instance an `error_code`. */
  details?: JsonObject;
  /** What lies behind it; goes to the log, never to the client. */
  cause?: unknown;
}

/**
 * An error as Anthropic's API reports it.
 *
 * Its message reaches the client word for word, so it never holds a key, a header, a body or a path.
 *
 * @example Usage
 * ```ts
 * import { ApiError } from "./errors.ts";
 *
 * const error = new ApiError("not_found_error", 'Cannot use model "x": no alias or upstream has it');
 * if (error.status !== 404) throw error;
 * ```
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly type: ErrorType;
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly details: JsonObject | undefined;
  /** Whether the same request may succeed when it is repeated. */
  readonly retryable: boolean;

  constructor(type: ErrorType, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.type = type;
    this.status = options.status ?? STATUSES[type];
    this.retryAfter = options.retryAfter;
    this.headers = options.headers ?? {};
    this.details = options.details;
    this.retryable = options.retryable ?? !FINAL_STATUSES.has(this.status);
  }

  /** Gives the same error of a request that must not be repeated: something was done for it that would be done twice. */
  toFinal(): ApiError {
    const { status, retryAfter, details, cause } = this;
    return new ApiError(this.type, this.message, {
      status,
      cause,
      retryable: false,
      ...(retryAfter !== undefined && { retryAfter }),
      ...(details !== undefined && { details }),
    });
  }
}

/** Anthropic's error envelope, also the payload of `event: error`. */
export interface ErrorBody {
  type: "error";
  error: { type: ErrorType; message: string; details?: JsonObject };
  request_id: string;
}

/** Turns whatever was thrown into an error that a client may see; a bug becomes a plain `api_error`. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError("api_error", "Internal server error", { cause: error });
}

/** Writes the envelope of an error. */
export function toErrorBody(error: ApiError, requestId: string): ErrorBody {
  const { type, message, details } = error;
  return { type: "error", error: { type, message, ...(details && { details }) }, request_id: requestId };
}

/** Writes an error as the response to a request whose id is given. */
export function errorResponse(error: ApiError, requestId: string): Response {
  const headers = new Headers({ ...error.headers, "request-id": requestId });
  // Clients judge by the status too, so only what they would get wrong is said.
  if (!error.retryable) headers.set("x-should-retry", "false");
  else if (FINAL_STATUSES.has(error.status)) headers.set("x-should-retry", "true");
  if (error.retryAfter !== undefined) headers.set("retry-after", error.retryAfter);
  return Response.json(toErrorBody(error, requestId), { status: error.status, headers });
}
