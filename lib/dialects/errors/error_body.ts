import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import { redact } from "../../base/redact.ts";

/** What an upstream's error body says, whatever its shape. */
export interface ErrorBody {
  /** The status that the body names, where it does. */
  status: number | undefined;
  /** Its words for what went wrong, the most telling first: OpenRouter's stable names, then codes and types. */
  errorTypes: string[];
  codes: string[];
  /** Without keys, and of bounded length. */
  message: string | undefined;
  /** What the host behind the upstream said, where the upstream only forwards it; `undefined` where that is nothing. */
  forwarded: { provider: string | undefined; providerMessage: string | undefined } | undefined;
  /** Whether the upstream says that a repeat helps, and after how many seconds. */
  retryable: boolean | undefined;
  retryAfter: string | undefined;
  details: JsonObject | undefined;
}

/** How stacks begin: JavaScript's, then Python's. */
const STACK_START =
  /(?:^|\n)(?:[ \t]+at \S.*(?:\(|:\d)|[ \t]*Traceback \(most recent|[ \t]+File ".*", line \d)/;
/** How much of a message is looked at, in characters. */
const MAX_RAW_CHARS = 64 * 1024;
/** The longest message that is passed on, in characters. */
const MAX_MESSAGE_CHARS = 2000;

/**
 * Reads an error body: OpenRouter's, old and new, Anthropic's, OpenAI's, Gemini's list, FastAPI's `detail`, or a bare
 * text. Only fields with a known meaning are read; what else a body holds never leaves this function.
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

/** The message of an error object; `error` itself may be the text, beside a code. */
function errorMessage(error: JsonObject): string | undefined {
  return detailText(error.message) ?? detailText(error.error) ?? detailText(error.detail);
}

/** The words for people in a message: no page of HTML, and nothing from the first line of a stack on. */
function cleanMessage(message: string): string | undefined {
  if (message.trimStart().startsWith("<")) return undefined;
  const text = message.slice(0, MAX_RAW_CHARS).replaceAll("\\n", "\n"); // JSON that was quoted without being read
  return text.split(STACK_START)[0]?.trim() || undefined;
}

/** llama.cpp gives the numbers of an overflow beside its message. */
function withTokenCounts(
  message: string | undefined,
  { n_prompt_tokens: requested, n_ctx: limit }: JsonObject,
): string | undefined {
  if (typeof requested !== "number" || typeof limit !== "number") return message;
  return `${message ?? "prompt is too long"}: ${requested} tokens > ${limit} maximum`;
}

/** Text, or what FastAPI lists as wrong: where, and what; never the input, which it repeats. */
function detailText(value: unknown): string | undefined {
  if (typeof value === "string") return cleanMessage(value);
  if (isObject(value)) return detailText(value.detail);
  if (!Array.isArray(value)) return undefined;
  const lines = value.filter(isObject).flatMap(({ loc, msg }) =>
    typeof msg === "string" ? [`${Array.isArray(loc) ? `${loc.join(".")}: ` : ""}${msg}`] : []
  );
  return lines.length === 0 ? undefined : lines.join("; ");
}

/** What a host behind OpenRouter said, in its `raw` body or in the list of earlier attempts. */
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

/** The fields that are passed on in `error.details`: Anthropic's own, or OpenRouter's reasons. */
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

/** A value that is safe to show: shallow, short and without keys. */
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

/** Gemini's hint in a list of details: `{"@type": "…RetryInfo", "retryDelay": "41s"}`. */
function geminiRetryDelay(details: unknown): string | undefined {
  if (!Array.isArray(details)) return undefined;
  const delay = details.filter(isObject).map(({ retryDelay }) => retryDelay).find(isNonEmptyString);
  return parseSeconds(delay?.replace(/s$/, ""));
}

function isNonEmptyString(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
