import { ApiError, type ApiErrorOptions, type ErrorType } from "../../base/errors.ts";
import { CODES, LOOSE_WORDS, NAMES, typeOfStatus } from "./error_types.ts";
import { type Failure, readFailure } from "./error_body.ts";
import { withHint } from "./hints.ts";
import { isOverflow, toOverflow } from "./context_overflow.ts";

/** What an upstream said of a failure: in an HTTP response, or in the middle of a stream. */
export interface UpstreamFailure {
  /** The HTTP status, where there is one. */
  status?: number | undefined;
  /** The body, or the payload of the event, parsed; its shape is not known. */
  body: unknown;
  /** The value of `retry-after`. */
  retryAfter?: string | undefined;
}

/**
 * What may be asked instead, where that has a chance: for a shorter answer, of another provider, or without what was
 * thought earlier.
 */
export type Remedy = { shorten: number } | { avoid: string } | { forget: true };

/** An error that an upstream reported. */
export class UpstreamError extends ApiError {
  readonly remedy: Remedy | undefined;
  /** Whether the model, or whoever watches over it, would not answer. */
  readonly refused: boolean;

  constructor(
    type: ErrorType,
    message: string,
    { remedy, refused = false, ...options }: ApiErrorOptions & {
      remedy?: Remedy | undefined;
      refused?: boolean;
    },
  ) {
    super(type, message, options);
    this.remedy = remedy;
    this.refused = refused;
  }
}

/** What hosts say of a key in a 400. */
const KEY_WORDS = /\b(incorrect|invalid|wrong) api key\b|\bapi key (is )?(not valid|invalid|expired)\b/i;
/** What hosts say of thoughts that they do not take back: another's, another conversation's, or said twice. */
const THOUGHT_WORDS =
  /signature.{0,40}\bthinking\b|\bthinking\b.{0,200}cannot be modified|bound to a different conversation|thought.?signature.{0,40}(not valid|invalid|corrupt)|missing a.{0,10}thought.?signature|encrypted.?content.{0,80}(verified|invalid|decrypt)|duplicate item found with id/is;
/** What a host says whose failure has nothing to do with the request. */
const SERVER_WORDS =
  /internal (server )?error|server error|unavailable|overloaded|temporar|try again|tim(ed? ?out|eout)|upstream|connection|bad gateway/i;

/**
 * Reads what an upstream says of a failure as the error that Anthropic's API would give for it.
 *
 * The upstream's own words are kept, because clients recover by them, but only from its message fields, without
 * keys and of bounded length.
 *
 * @example Usage
 * ```ts
 * import { toUpstreamError } from "./upstream_error.ts";
 *
 * const error = toUpstreamError({ status: 429, body: { error: { message: "Slow down" } }, retryAfter: "7" });
 * if (error.type !== "rate_limit_error") throw error;
 * ```
 */
export function toUpstreamError({ status, body, retryAfter }: UpstreamFailure): UpstreamError {
  const failure = readFailure(body);
  const { names, words, details, retryable } = failure;
  const code = failure.code ?? (status !== undefined && status >= 400 ? status : 502);
  const said = failure.message ?? `Upstream answered ${code} without saying why`;
  const wait = isWait(retryAfter) ? retryAfter : failure.retryAfter;
  const told: ApiErrorOptions = {
    ...(wait !== undefined && { retryAfter: wait }),
    ...(details && { details }),
    ...(retryable !== undefined && { retryable }),
  };

  if (isTooLong(failure, code)) {
    return new UpstreamError("invalid_request_error", toOverflow(said), { ...(details && { details }) });
  }
  if (code === 400 && isTransient(failure)) {
    const provider = failure.forwarded?.provider;
    const remedy = provider === undefined ? undefined : { avoid: provider };
    return new UpstreamError("api_error", said, { ...told, status: 502, remedy });
  }
  const type = toType(failure, code, status === undefined);
  return new UpstreamError(type, type === "not_found_error" ? withHint(said) : said, {
    ...told,
    ...(type === "api_error" && { status: code === 500 || code > 502 ? 500 : 502 }),
    remedy: toRemedy(type, said),
    refused: [...names, ...words].some((name) =>
      /^(content_policy_violation|refusal|content_filter)$/.test(name)
    ),
  });
}

/** Whether it is seconds or a date, as a header may say; anything else is not passed on. */
function isWait(value: string | undefined): value is string {
  return /^(\d{1,9}(\.\d{1,9})?|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT)$/.test(
    value ?? "",
  );
}

function toRemedy(type: ErrorType, said: string): Remedy | undefined {
  if (type === "invalid_request_error") return THOUGHT_WORDS.test(said) ? { forget: true } : undefined;
  const affordable = type === "billing_error" ? /can only afford (\d+)/i.exec(said)?.[1] : undefined;
  return affordable === undefined ? undefined : { shorten: Number(affordable) };
}

function toType({ names, words, message = "" }: Failure, code: number, midStream: boolean): ErrorType {
  const find = (map: ReadonlyMap<string, ErrorType>, keys: string[]) =>
    keys.map((key) => map.get(key)).find((type) => type !== undefined);
  const named = find(NAMES, names) ?? find(CODES, words);
  // A guardrail's word for what it found is the same as a model's, but it is the account that may not ask.
  if (named === "invalid_request_error" && code === 403) return "permission_error";
  if (named !== undefined) return named;
  if (code === 400 && /is not a valid model ID/i.test(message)) return "not_found_error";
  if (code === 400 && KEY_WORDS.test(message)) return "authentication_error";
  return (midStream ? find(LOOSE_WORDS, words) : undefined) ?? typeOfStatus(code);
}

/** Whatever status an overflow comes with; but a key or a right that is missing says more than any word beside it. */
function isTooLong({ names, words, message = "" }: Failure, code: number): boolean {
  if ([401, 402, 403, 404].includes(code)) return false;
  const named = ["context_length_exceeded", "token_limit_exceeded", "exceed_context_size_error"];
  return [...names, ...words].some((name) => named.includes(name)) || isOverflow(message, code);
}

/** OpenRouter's "Provider returned error" where the provider did not complain of the request. */
function isTransient({ names, forwarded }: Failure): boolean {
  if (forwarded === undefined || names.some((name) => NAMES.get(name) === "invalid_request_error")) {
    return false;
  }
  const { said } = forwarded;
  return said === undefined || (SERVER_WORDS.test(said) && !THOUGHT_WORDS.test(said));
}
