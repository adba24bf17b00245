import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import { redact } from "../../base/redact.ts";

/** What an upstream's error body says, whatever its shape. */
export interface Failure {
  /** The status that the body names, where it does. */
  code: number | undefined;
  /** Its words for what went wrong, the most telling first: OpenRouter's stable names, then codes and types. */
  names: string[];
  words: string[];
  /** Without keys, and of bounded length. */
  message: string | undefined;
  /** What the host behind the upstream said, where the upstream only forwards it; `undefined` where that is nothing. */
  forwarded: { provider: string | undefined; said: string | undefined } | undefined;
  /** Whether the upstream says that a repeat helps, and after how many seconds. */
  retryable: boolean | undefined;
  retryAfter: string | undefined;
  details: JsonObject | undefined;
}

/** How stacks begin: JavaScript's, then Python's. */
const STACK = /(?:^|\n)(?:[ \t]+at \S.*(?:\(|:\d)|[ \t]*Traceback \(most recent|[ \t]+File ".*", line \d)/;
/** How much of a message is looked at, in characters. */
const MAX_RAW = 64 * 1024;
/** The longest message that is passed on, in characters. */
const MAX_MESSAGE = 2000;

/**
 * Reads an error body: OpenRouter's, old and new, Anthropic's, OpenAI's, Gemini's list, FastAPI's `detail`, or a bare
 * text. Only fields with a known meaning are read; what else a body holds never leaves this function.
 */
export function readFailure(body: unknown): Failure {
  const outer = toObject(body);
  const error = isObject(outer.error) ? outer.error : outer;
  const metadata = toObject(error.metadata);
  const availability = toObject(error.availability ?? outer.availability);
  const own = withCounts(toMessage(error) ?? toText(outer.detail), error);
  const forwards = own === undefined || /^provider returned error\.?$/i.test(own.trim());
  const provider = typeof metadata.provider_name === "string" ? metadata.provider_name : undefined;
  const said = forwards ? toForwarded(metadata) : undefined;
  const message = said === undefined ? own : [provider, said].filter(Boolean).join(": ");
  return {
    code: [error.code, error.http_status, error.statusCode, outer.code].map(toStatus).find(Boolean),
    names: [availability.code, metadata.error_type, error.error_type].filter(isText),
    words: [error.code, error.type, outer.code].filter(isText),
    message: message ? redact(message).slice(0, MAX_MESSAGE) : undefined,
    forwarded: forwards && (own !== undefined || provider !== undefined) ? { provider, said } : undefined,
    retryable: typeof availability.retryable === "boolean" ? availability.retryable : undefined,
    retryAfter: toSeconds(availability.retry_after) ?? toRetryDelay(error.details),
    details: toDetails({ error, metadata, availability }),
  };
}

function toObject(value: unknown): JsonObject {
  const parsed = typeof value === "string" ? tryJson(value) : value;
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  return isObject(first) ? first : {};
}

/** The message of an error object; `error` itself may be the text, beside a code. */
function toMessage(error: JsonObject): string | undefined {
  return toText(error.message) ?? toText(error.error) ?? toText(error.detail);
}

/** The words for people in a message: no page of HTML, and nothing from the first line of a stack on. */
function toWords(message: string): string | undefined {
  if (message.trimStart().startsWith("<")) return undefined;
  const text = message.slice(0, MAX_RAW).replaceAll("\\n", "\n"); // JSON that was quoted without being read
  return text.split(STACK)[0]?.trim() || undefined;
}

/** llama.cpp gives the numbers of an overflow beside its message. */
function withCounts(
  message: string | undefined,
  { n_prompt_tokens: asked, n_ctx: limit }: JsonObject,
): string | undefined {
  if (typeof asked !== "number" || typeof limit !== "number") return message;
  return `${message ?? "prompt is too long"}: ${asked} tokens > ${limit} maximum`;
}

/** Text, or what FastAPI lists as wrong: where, and what; never the input, which it repeats. */
function toText(value: unknown): string | undefined {
  if (typeof value === "string") return toWords(value);
  if (isObject(value)) return toText(value.detail);
  if (!Array.isArray(value)) return undefined;
  const lines = value.filter(isObject).flatMap(({ loc, msg }) =>
    typeof msg === "string" ? [`${Array.isArray(loc) ? `${loc.join(".")}: ` : ""}${msg}`] : []
  );
  return lines.length === 0 ? undefined : lines.join("; ");
}

/** What a host behind OpenRouter said, in its `raw` body or in the list of earlier attempts. */
function toForwarded({ raw, previous_errors: earlier }: JsonObject): string | undefined {
  const read = (value: unknown): string | undefined => {
    const parsed = typeof value === "string" ? tryJson(value) ?? value : value;
    if (typeof parsed === "string") return /^\s*error\s*$/i.test(parsed) ? undefined : toWords(parsed);
    const outer = toObject(parsed);
    return toMessage(isObject(outer.error) ? outer.error : outer);
  };
  const attempts = Array.isArray(earlier)
    ? earlier.filter(isObject).map((one) => read(one.raw) ?? read(one))
    : [];
  return read(raw) ?? attempts.find((said) => said !== undefined);
}

/** The fields that are passed on in `error.details`: Anthropic's own, or OpenRouter's reasons. */
function toDetails(
  { error, metadata, availability }: Record<"error" | "metadata" | "availability", JsonObject>,
): JsonObject | undefined {
  const told = {
    ...toObject(error.details),
    error_type: metadata.error_type ?? error.error_type,
    provider: metadata.provider_name,
    reasons: metadata.reasons,
    availability: Object.keys(availability).length === 0 ? undefined : availability,
  };
  const clean = toPlain(told, 3);
  return isObject(clean) && Object.keys(clean).length > 0 ? clean : undefined;
}

/** A value that is safe to show: shallow, short and without keys. */
function toPlain(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redact(value).slice(0, 300);
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (depth === 0 || value === null || typeof value !== "object") return undefined;
  if (Array.isArray(value)) {
    return value.slice(0, 20).map((item) => toPlain(item, depth - 1)).filter((item) => item !== undefined);
  }
  const fields = Object.entries(value).slice(0, 20).map(([name, field]) => [name, toPlain(field, depth - 1)]);
  return Object.fromEntries(fields.filter(([, field]) => field !== undefined));
}

function toStatus(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 400 && number <= 599 ? number : undefined;
}

function toSeconds(value: unknown): string | undefined {
  const seconds = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof seconds === "number" && seconds >= 0 && seconds < 1e6
    ? String(Math.ceil(seconds))
    : undefined;
}

/** Gemini's hint in a list of details: `{"@type": "…RetryInfo", "retryDelay": "41s"}`. */
function toRetryDelay(details: unknown): string | undefined {
  if (!Array.isArray(details)) return undefined;
  const delay = details.filter(isObject).map(({ retryDelay }) => retryDelay).find(isText);
  return toSeconds(delay?.replace(/s$/, ""));
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
