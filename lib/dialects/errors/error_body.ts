import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import { redact } from "../../base/redact.ts";
import { cleanMessage, errorCodes, errorMessage, findError, firstObject } from "./error_shapes.ts";

/** Content of an upstream's error body, independent of its format. */
export interface ErrorBody {
  /** HTTP status in the body. */
  status: number | undefined;
  /** OpenRouter's stable error types, the most specific first. */
  errorTypes: string[];
  /** Error codes and types of other formats, the most specific first. */
  codes: string[];
  /** Error message without API keys, of bounded length. */
  message: string | undefined;
  /** Provider's name and message, if the upstream only forwards a failure of the provider. */
  forwarded: { provider: string | undefined; providerMessage: string | undefined } | undefined;
  /** True if the upstream recommends a retry, false if it advises against one. */
  retryable: boolean | undefined;
  /** The body, and the object that describes its error. */
  body: JsonObject;
  error: JsonObject;
  /** Fields for `error.details`. */
  details: JsonObject | undefined;
}

/** Maximum length of a message that is passed on, in characters. */
const MAX_MESSAGE_CHARS = 2000;

/**
 * Reads an error body in any of the shapes that hosts use, see `error_shapes.ts`.
 *
 * Only fields with a known meaning are read; all others are discarded.
 */
export function readErrorBody(body: unknown): ErrorBody {
  const outer = firstObject(body);
  const error = findError(outer);
  const metadata = firstObject(error.metadata);
  const availability = firstObject(error.availability ?? outer.availability);
  const ownMessage = withTokenCounts(errorMessage(error) ?? errorMessage(outer), error);
  const isForwarded = ownMessage === undefined || /^provider returned error\.?$/i.test(ownMessage.trim());
  const provider = typeof metadata.provider_name === "string" ? metadata.provider_name : undefined;
  const providerMessage = isForwarded ? readProviderMessage(metadata) : undefined;
  const message = providerMessage === undefined
    ? ownMessage
    : [provider, providerMessage].filter(Boolean).join(": ");
  return {
    status: [
      error.code,
      error.http_status,
      error.http_status_code,
      error.statusCode,
      error.status_code,
      error.status,
      outer.code,
    ].map(parseStatus).find(Boolean),
    errorTypes: [availability.code, metadata.error_type, error.error_type].filter(isNonEmptyString),
    codes: errorCodes(error, outer),
    message: message ? redact(message).slice(0, MAX_MESSAGE_CHARS) : undefined,
    forwarded: isForwarded && (ownMessage !== undefined || provider !== undefined)
      ? { provider, providerMessage }
      : undefined,
    retryable: typeof availability.retryable === "boolean" ? availability.retryable : undefined,
    body: outer,
    error,
    details: errorDetails({ error, metadata, availability }),
  };
}

/** Appends the token counts of an overflow, which llama.cpp sends beside its message. */
function withTokenCounts(
  message: string | undefined,
  { n_prompt_tokens: requested, n_ctx: limit }: JsonObject,
): string | undefined {
  if (typeof requested !== "number" || typeof limit !== "number") return message;
  return `${message ?? "prompt is too long"}: ${requested} tokens > ${limit} maximum`;
}

/** Returns the message of a provider behind OpenRouter, from its `raw` body or the list of earlier attempts. */
function readProviderMessage({ raw, previous_errors: earlier }: JsonObject): string | undefined {
  const readAttempt = (value: unknown): string | undefined => {
    const parsed = typeof value === "string" ? tryJson(value) ?? value : value;
    if (typeof parsed === "string") return /^\s*error\s*$/i.test(parsed) ? undefined : cleanMessage(parsed);
    return errorMessage(findError(firstObject(parsed)));
  };
  const attempts = Array.isArray(earlier)
    ? earlier.filter(isObject).map((one) => readAttempt(one.raw) ?? readAttempt(one))
    : [];
  return readAttempt(raw) ?? attempts.find((providerMessage) => providerMessage !== undefined);
}

/** Returns the fields for `error.details`: Anthropic's own, and OpenRouter's reasons. */
function errorDetails(
  { error, metadata, availability }: Record<"error" | "metadata" | "availability", JsonObject>,
): JsonObject | undefined {
  const allowed = {
    ...firstObject(error.details),
    error_type: metadata.error_type ?? error.error_type,
    provider: metadata.provider_name,
    reasons: metadata.reasons,
    availability: Object.keys(availability).length === 0 ? undefined : availability,
  };
  const clean = sanitizeDetail(allowed, 3);
  return isObject(clean) && Object.keys(clean).length > 0 ? clean : undefined;
}

/** Returns a value without API keys, limited in depth and length. */
function sanitizeDetail(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redact(value).slice(0, 300);
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (depth === 0 || value === null || typeof value !== "object") return undefined;
  if (Array.isArray(value)) {
    return value.slice(0, 20).map((item) => sanitizeDetail(item, depth - 1)).filter((item) =>
      item !== undefined
    );
  }
  const fields = Object.entries(value).slice(0, 20).map((
    [name, field],
  ) => [name, sanitizeDetail(field, depth - 1)]);
  return Object.fromEntries(fields.filter(([, field]) => field !== undefined));
}

function parseStatus(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 400 && number <= 599 ? number : undefined;
}

function isNonEmptyString(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
