import { isObject, type JsonObject } from "./json.ts";

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

/** Statuses of errors that a repeat of the same request cannot fix. */
const FINAL_STATUSES = new Set([400, 401, 402, 403, 404, 413, 422, 501]);

/** Optional properties of an {@linkcode ApiError}. */
export interface ApiErrorOptions {
  /** HTTP status; by default the status of the type. */
  status?: number;
  /** Value of the `retry-after` header: seconds or an HTTP date. */
  retryAfter?: string;
  /** True if a repeat can succeed; by default derived from the status. */
  retryable?: boolean;
  /** Additional response headers. */
  headers?: Readonly<Record<string, string>>;
  /** Anthropic's `error.details`, such as an `error_code`. */
  details?: JsonObject;
  /** Underlying error; logged, never sent to the client. */
  cause?: unknown;
}

/**
 * An error in the form of Anthropic's API.
 *
 * The client receives the message verbatim. It must not contain a key, a header, a body or a path.
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
  #details: JsonObject | undefined;
  /** True if a repeat of the same request may succeed. */
  readonly retryable: boolean;

  constructor(type: ErrorType, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.type = type;
    this.status = options.status ?? STATUSES[type];
    this.retryAfter = options.retryAfter;
    this.headers = options.headers ?? {};
    this.#details = options.details;
    this.retryable = options.retryable ?? !FINAL_STATUSES.has(this.status);
  }

  /** Anthropic's `error.details`. */
  get details(): JsonObject | undefined {
    return this.#details;
  }

  /** Replaces the message and all names and texts in `details`, such as to remove a secret. */
  replaceTexts(replace: (text: string) => string): void {
    this.message = replace(this.message);
    if (this.#details !== undefined) this.#details = replaceMembers(this.#details, replace);
  }

  /**
   * Returns a copy that is not retryable, without `headers`.
   *
   * Used after the request had side effects, such as tool runs, which a repeat would duplicate.
   */
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

function replaceMembers(object: JsonObject, replace: (text: string) => string): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [replace(name), replaceIn(value, replace)]),
  );
}

function replaceIn(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((item) => replaceIn(item, replace));
  return isObject(value) ? replaceMembers(value, replace) : value;
}

/** Anthropic's error envelope; also the payload of `event: error`. */
export interface ErrorBody {
  type: "error";
  error: { type: ErrorType; message: string; details?: JsonObject };
  request_id: string;
}

/** Converts a thrown value to an error for the client. Anything but an `ApiError` becomes a generic `api_error`. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError("api_error", "Internal server error", { cause: error });
}

/** Converts an error to Anthropic's error envelope. */
export function toErrorBody(error: ApiError, requestId: string): ErrorBody {
  const { type, message, details } = error;
  return { type: "error", error: { type, message, ...(details && { details }) }, request_id: requestId };
}

/** Converts an error to the HTTP response of a request. */
export function errorResponse(error: ApiError, requestId: string): Response {
  const headers = new Headers({ ...error.headers, "request-id": requestId });
  // By default clients decide by the status. For a retryable error the header is needed only if the status is final.
  if (!error.retryable) headers.set("x-should-retry", "false");
  else if (FINAL_STATUSES.has(error.status)) headers.set("x-should-retry", "true");
  if (error.retryAfter !== undefined) headers.set("retry-after", error.retryAfter);
  return Response.json(toErrorBody(error, requestId), { status: error.status, headers });
}
