import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import { redact } from "../../base/redact.ts";

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
  /** Delay before a retry, in seconds. */
  retryAfter: string | undefined;
  /** Fields for `error.details`. */
  details: JsonObject | undefined;
}

/** Start of a stack trace, of JavaScript or of Python. */
const STACK_START =
  /(?:^|\n)(?:[ \t]+at \S.*(?:\(|:\d)|[ \t]*Traceback \(most recent|[ \t]+File ".*", line \d)/;
/** Number of characters of a message that are examined. */
const MAX_RAW_CHARS = 64 * 1024;
/** Maximum length of a message that is passed on, in characters. */
const MAX_MESSAGE_CHARS = 2000;

/**
 * Reads an error body of OpenRouter (old and new format), Anthropic, OpenAI, Gemini (a list) or FastAPI (`detail`).
 *
 * `error` may also be a plain text. Only fields with a known meaning are read; all others are discarded.
 */
export function readErrorBody(body: unknown): ErrorBody {
  const outer = firstObject(body);
  const error = isObject(outer.error) ? outer.error : outer;
  const metadata = firstObject(error.metadata);
  const availability = firstObject(error.availability ?? outer.availability);
  const ownMessage = withTokenCounts(errorMessage(error) ?? detailText(outer.detail), error);
  const isForwarded = ownMessage === undefined || /^provider returned error\.?$/i.test(ownMessage.trim());
  const provider = typeof metadata.provider_name === "string" ? metadata.provider_name : undefined;
  const providerMessage = isForwarded ? readProviderMessage(metadata) : undefined;
  const message = providerMessage === undefined
    ? ownMessage
    : [provider, providerMessage].filter(Boolean).join(": ");
  return {
    status: [error.code, error.http_status, error.statusCode, outer.code].map(parseStatus).find(Boolean),
    errorTypes: [availability.code, metadata.error_type, error.error_type].filter(isNonEmptyString),
    codes: [error.code, error.type, outer.code].filter(isNonEmptyString),
    message: message ? redact(message).slice(0, MAX_MESSAGE_CHARS) : undefined,
    forwarded: isForwarded && (ownMessage !== undefined || provider !== undefined)
      ? { provider, providerMessage }
      : undefined,
    retryable: typeof availability.retryable === "boolean" ? availability.retryable : undefined,
    retryAfter: parseSeconds(availability.retry_after) ?? geminiRetryDelay(error.details),
    details: errorDetails({ error, metadata, availability }),
  };
}

function firstObject(value: unknown): JsonObject {
  const parsed = typeof value === "string" ? tryJson(value) : value;
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return isObject(first) ? first : {};
}

/** Returns the message of an error object; `error` may be the text itself, beside a code. */
function errorMessage(error: JsonObject): string | undefined {
  return detailText(error.message) ?? detailText(error.error) ?? detailText(error.detail);
}

/** Returns the readable part of a message: no HTML page, and no stack trace. */
function cleanMessage(message: string): string | undefined {
  if (message.trimStart().startsWith("<")) return undefined;
  const text = message.slice(0, MAX_RAW_CHARS).replaceAll("\\n", "\n"); // JSON escapes that the upstream did not decode
  return text.split(STACK_START)[0]?.trim() || undefined;
}

/** Appends the token counts of an overflow, which llama.cpp sends beside its message. */
function withTokenCounts(
  message: string | undefined,
  { n_prompt_tokens: requested, n_ctx: limit }: JsonObject,
): string | undefined {
  if (typeof requested !== "number" || typeof limit !== "number") return message;
  return `${message ?? "prompt is too long"}: ${requested} tokens > ${limit} maximum`;
}

/** Returns a text, or FastAPI's validation errors as `location: message` without the input that they repeat. */
function detailText(value: unknown): string | undefined {
  if (typeof value === "string") return cleanMessage(value);
  if (isObject(value)) return detailText(value.detail);
  if (!Array.isArray(value)) return undefined;
  const lines = value.filter(isObject).flatMap(({ loc, msg }) =>
    typeof msg === "string" ? [`${Array.isArray(loc) ? `${loc.join(".")}: ` : ""}${msg}`] : []
  );
  return lines.length === 0 ? undefined : lines.join("; ");
}

/** Returns the message of a provider behind OpenRouter, from its `raw` body or the list of earlier attempts. */
function readProviderMessage({ raw, previous_errors: earlier }: JsonObject): string | undefined {
  const readAttempt = (value: unknown): string | undefined => {
    const parsed = typeof value === "string" ? tryJson(value) ?? value : value;
    if (typeof parsed === "string") return /^\s*error\s*$/i.test(parsed) ? undefined : cleanMessage(parsed);
    const outer = firstObject(parsed);
    return errorMessage(isObject(outer.error) ? outer.error : outer);
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

function parseSeconds(value: unknown): string | undefined {
  const seconds = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof seconds === "number" && seconds >= 0 && seconds < 1e6
    ? String(Math.ceil(seconds))
    : undefined;
}

/** Returns Gemini's retry delay in seconds, from a detail `{"@type": "…RetryInfo", "retryDelay": "41s"}`. */
function geminiRetryDelay(details: unknown): string | undefined {
  if (!Array.isArray(details)) return undefined;
  const delay = details.filter(isObject).map(({ retryDelay }) => retryDelay).find(isNonEmptyString);
  return parseSeconds(delay?.replace(/s$/, ""));
}

function isNonEmptyString(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
