import { ApiError, type ApiErrorOptions, type ErrorType } from "../../base/errors.ts";
import {
  errorTypeOfStatus,
  FALLBACK_ERROR_CODES,
  HOST_ERROR_CODES,
  OPENROUTER_ERROR_TYPES,
  REFUSAL_CODES,
} from "./error_types.ts";
import { isEmptyAccount } from "./empty_account.ts";
import { type ErrorBody, readErrorBody } from "./error_body.ts";
import { keptServerError, readRetryHeaders } from "./kept_error.ts";
import { withHint } from "./hints.ts";
import { findUncounted, isOverflow, toOverflowMessage, type UncountedOverflow } from "./context_overflow.ts";
import type { Adjustment } from "../adjustments/adjustment.ts";
import { findAdjustment } from "../adjustments/refusals.ts";
import { findRetryAfter, isFutileDelay } from "./retry_after.ts";

/** Failure that an upstream reported in an HTTP response or within a stream. */
export interface UpstreamFailure {
  /** HTTP status; `undefined` within a stream. */
  status?: number | undefined;
  /** Parsed body or event payload, in any format. */
  body: unknown;
  /** Headers of the response. */
  headers?: Headers | undefined;
  /** Milliseconds since 1970, to convert the time of day at which a limit is renewed. */
  now?: number | undefined;
}

/** An error that an upstream reported. */
export class UpstreamError extends ApiError {
  /** Change of the request after which it may succeed. */
  readonly adjustment: Adjustment | undefined;
  /** True if the model or a content filter refused to answer. */
  readonly refused: boolean;
  /** Set if the request exceeds the context, and the upstream did not say both token counts. */
  readonly uncounted: UncountedOverflow | undefined;

  constructor(
    type: ErrorType,
    message: string,
    { adjustment, refused = false, uncounted, ...options }: ApiErrorOptions & {
      adjustment?: Adjustment | undefined;
      refused?: boolean;
      uncounted?: UncountedOverflow | undefined;
    },
  ) {
    super(type, message, options);
    this.adjustment = adjustment;
    this.refused = refused;
    this.uncounted = uncounted;
  }
}

/** Messages about an invalid API key, for hosts that send them with status 400. */
const INVALID_KEY_MESSAGE =
  /\b(incorrect|invalid|wrong) api key\b|\bapi key (is )?(not valid|invalid|expired)\b/i;
/** Messages about failures of the host that the request did not cause. */
const SERVER_FAILURE_MESSAGE =
  /internal (server )?error|server error|unavailable|overloaded|temporar|try again|tim(ed? ?out|eout)|upstream|connection|bad gateway/i;

/**
 * Converts an upstream's failure to the error that Anthropic's API returns in such a case.
 *
 * The upstream's wording is kept, because clients match it to recover. It comes only from the message fields, without
 * API keys and of bounded length.
 *
 * @example Usage
 * ```ts
 * import { toUpstreamError } from "./upstream_error.ts";
 *
 * const error = toUpstreamError({ status: 429, body: { error: { message: "Slow down, retry in 7s" } } });
 * if (error.type !== "rate_limit_error" || error.retryAfter !== "7") throw error;
 * ```
 */
export function toUpstreamError({ status, body, headers, now }: UpstreamFailure): UpstreamError {
  const failure = readErrorBody(body);
  const { errorTypes, codes, details } = failure;
  const httpStatus = failure.status ?? (status !== undefined && status >= 400 ? status : 502);
  const message = failure.message ?? `Upstream returned ${httpStatus} without a message`;
  const retryAfter = findRetryAfter({ ...failure, headers, status: httpStatus, now });
  const isFutile = isFutileDelay({ retryAfter, message: failure.message, status: httpStatus });
  const retryable = isFutile ? false : failure.retryable;
  const options: ApiErrorOptions = {
    ...(retryAfter !== undefined && { retryAfter }),
    ...(details && { details }),
    ...(retryable !== undefined && { retryable }),
    ...readRetryHeaders(headers),
  };

  if (isContextOverflow(failure, httpStatus)) {
    return new UpstreamError("invalid_request_error", toOverflowMessage(message), {
      ...(details && { details }),
      uncounted: findUncounted(message),
    });
  }
  if (httpStatus === 400 && isTransient(failure)) {
    const provider = failure.forwarded?.provider;
    const adjustment: Adjustment | undefined = provider === undefined
      ? undefined
      : { change: "exclude_provider", provider };
    return new UpstreamError("api_error", message, { ...options, status: 502, adjustment });
  }
  // OpenRouter's own error type is more specific.
  const kept = errorTypes.length === 0 ? keptServerError(body, status) : undefined;
  if (kept !== undefined) return new UpstreamError(kept.type, message, { ...options, status: kept.status });
  const type = errorTypeFor(failure, { httpStatus, midStream: status === undefined, retryAfter });
  return new UpstreamError(type, type === "not_found_error" ? withHint(message) : message, {
    ...options,
    ...(type === "api_error" && { status: httpStatus === 500 || httpStatus > 502 ? 500 : 502 }),
    adjustment: findAdjustment({ type, message, codes, body }),
    refused: [...errorTypes, ...codes].some((name) => REFUSAL_CODES.has(name)),
  });
}

function errorTypeFor(
  { errorTypes, codes, message = "" }: ErrorBody,
  { httpStatus, midStream, retryAfter }: {
    httpStatus: number;
    midStream: boolean;
    retryAfter: string | undefined;
  },
): ErrorType {
  const lookUp = (map: ReadonlyMap<string, ErrorType>, keys: string[]) =>
    keys.map((key) => map.get(key)).find((type) => type !== undefined);
  const named = lookUp(OPENROUTER_ERROR_TYPES, errorTypes) ?? lookUp(HOST_ERROR_CODES, codes);
  // With status 403, a refusal comes from a guardrail of the account, not from the model.
  if (named === "invalid_request_error" && httpStatus === 403) return "permission_error";
  if (named !== undefined) return named;
  // A limit that is renewed soon is none of the account.
  if (retryAfter === undefined && httpStatus !== 404 && isEmptyAccount(message)) return "billing_error";
  if (httpStatus === 400 && /is not a valid model ID/i.test(message)) return "not_found_error";
  if (httpStatus === 400 && INVALID_KEY_MESSAGE.test(message)) return "authentication_error";
  return (midStream ? lookUp(FALLBACK_ERROR_CODES, codes) : undefined) ?? errorTypeOfStatus(httpStatus);
}

/** True for a context overflow, with any status except those for keys, payment, permissions and missing models. */
function isContextOverflow({ errorTypes, codes, message = "" }: ErrorBody, httpStatus: number): boolean {
  if ([401, 402, 403, 404].includes(httpStatus)) return false;
  const named = ["context_length_exceeded", "token_limit_exceeded", "exceed_context_size_error"];
  return [...errorTypes, ...codes].some((name) => named.includes(name)) || isOverflow(message, httpStatus);
}

/** True for OpenRouter's "Provider returned error" if the provider did not reject the request itself. */
function isTransient({ errorTypes, forwarded }: ErrorBody): boolean {
  if (
    forwarded === undefined ||
    errorTypes.some((name) => OPENROUTER_ERROR_TYPES.get(name) === "invalid_request_error")
  ) {
    return false;
  }
  const { providerMessage: message } = forwarded;
  return message === undefined ||
    (SERVER_FAILURE_MESSAGE.test(message) &&
      findAdjustment({ type: "invalid_request_error", message }) === undefined);
}
