import { ApiError, type ErrorType } from "../errors.ts";
import { isObject, tryJson } from "../json.ts";
import { redact } from "../redact.ts";

/** What an upstream said of a failure: in an HTTP response, or in the middle of a stream. */
export interface UpstreamFailure {
  /** The HTTP status, where there is one. */
  status?: number | undefined;
  /** The body, or the payload of the event, parsed; its shape is not known. */
  body: unknown;
  /** The value of `retry-after`. */
  retryAfter?: string | undefined;
}

/** Source: https://openrouter.ai/docs/api-reference/errors-and-debugging, and Anthropic's own names. */
const TYPES = new Map<unknown, ErrorType>(Object.entries<ErrorType>({
  authentication: "authentication_error",
  authentication_error: "authentication_error",
  payment_required: "billing_error",
  billing_error: "billing_error",
  permission_error: "permission_error",
  not_found: "not_found_error",
  not_found_error: "not_found_error",
  timeout: "timeout_error",
  timeout_error: "timeout_error",
  payload_too_large: "request_too_large",
  request_too_large: "request_too_large",
  rate_limit_exceeded: "rate_limit_error",
  rate_limit_error: "rate_limit_error",
  capacity_exhausted: "rate_limit_error",
  provider_overloaded: "overloaded_error",
  temporarily_unavailable: "overloaded_error",
  overloaded_error: "overloaded_error",
  invalid_request_error: "invalid_request_error",
  context_length_exceeded: "invalid_request_error",
  provider_unavailable: "api_error",
  server: "api_error",
  server_error: "api_error",
  api_error: "api_error",
}));

const TYPES_BY_STATUS: Record<number, ErrorType> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  409: "conflict_error",
  413: "request_too_large",
  422: "invalid_request_error",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  524: "timeout_error",
  529: "overloaded_error",
};

/** How the context overflows of different hosts name the two numbers. */
const OVERFLOWS = [
  /maximum context length is (?<limit>\d+) tokens\D+(?<asked>\d+)/is,
  /(?<asked>\d+) tokens?\b.{0,80}?(?:exceeds|larger than|longer than|>)\D{0,80}(?<limit>\d+)/is,
];
const OVERFLOW_WORDS =
  /context_length_exceeded|maximum context length|context window|prompt is too long|available context size|too many tokens/i;

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
export function toUpstreamError({ status, body, retryAfter }: UpstreamFailure): ApiError {
  const error = toErrorObject(body);
  const metadata = isObject(error.metadata) ? error.metadata : {};
  const availability = isObject(body) && isObject(body.availability) ? body.availability : {};
  const code = toNumber(error.code) ?? toNumber(error.http_status) ??
    (status !== undefined && status >= 400 ? status : 502);
  // OpenAI calls nearly everything an invalid request, so its word counts only where no status speaks.
  const named = [
    metadata.error_type,
    error.error_type,
    ...(status === undefined ? [error.type, error.code] : []),
  ];
  const name = named.find((word) => TYPES.has(word));
  const said = toMessage(error, metadata) ?? `Upstream answered ${code} without saying why`;
  const wait = retryAfter ?? toSeconds(availability.retry_after);

  if ((code === 400 || code === 413) && OVERFLOW_WORDS.test(said)) {
    return new ApiError("invalid_request_error", toOverflow(said));
  }
  if (availability.code === "model_not_found" || /is not a valid model ID/i.test(said)) {
    return new ApiError("not_found_error", said);
  }
  const type = TYPES.get(name) ?? TYPES_BY_STATUS[code] ??
    (code < 500 ? "invalid_request_error" : "api_error");
  const plain = type === "api_error" && (code === 502 || code === 500);
  return new ApiError(type, said, {
    ...(plain && { status: code }),
    ...(wait !== undefined && { retryAfter: wait }),
  });
}

function toErrorObject(body: unknown): Record<string, unknown> {
  const answer = typeof body === "string" ? tryJson(body) : body;
  const text = Array.isArray(answer) ? answer[0] : answer; // Gemini's endpoint gives a list of one
  if (!isObject(text)) return {};
  if (isObject(text.error)) return text.error;
  if (typeof text.error === "string") return { message: text.error, ...text };
  return text;
}

/** The most telling of the messages: what a provider behind the upstream said, where the upstream only forwards. */
function toMessage(error: Record<string, unknown>, metadata: Record<string, unknown>): string | undefined {
  const own = toWords(error.message);
  const forwards = own === undefined || /^provider returned error$/i.test(own);
  const raw = forwards ? toRawMessage(metadata.raw) : undefined;
  const provider = raw && typeof metadata.provider_name === "string" ? `${metadata.provider_name}: ` : "";
  const said = raw === undefined ? own : `${provider}${raw}`;
  return said && redact(said).slice(0, MAX_MESSAGE);
}

function toRawMessage(raw: unknown): string | undefined {
  if (typeof raw !== "string") return undefined;
  const parsed = tryJson(raw);
  return toWords(parsed === undefined ? raw : toErrorObject(parsed).message);
}

/** The words for people in a message: no page of HTML, and nothing from the first line of a stack on. */
function toWords(message: unknown): string | undefined {
  if (typeof message !== "string" || message.trimStart().startsWith("<")) return undefined;
  const text = message.slice(0, MAX_RAW).replaceAll("\\n", "\n"); // JSON that was quoted without being read
  return text.split(STACK)[0]?.trim() || undefined;
}

/** Words an overflow as Anthropic does, for Claude Code compacts the conversation when it reads this. */
function toOverflow(said: string): string {
  if (said.startsWith("prompt is too long")) return said;
  for (const pattern of OVERFLOWS) {
    const { asked, limit } = pattern.exec(said)?.groups ?? {};
    if (Number(asked) > Number(limit)) return `prompt is too long: ${asked} tokens > ${limit} maximum`;
  }
  return `prompt is too long: ${said}`;
}

/** How long to wait, where it is a number of seconds. */
function toSeconds(value: unknown): string | undefined {
  return /^\d{1,9}(\.\d{1,9})?$/.test(String(value)) ? String(value) : undefined;
}

function toNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && number >= 400 && number <= 599 ? number : undefined;
}

/** How stacks begin: JavaScript's, then Python's. */
const STACK = /(?:^|\n)(?:[ \t]+at \S.*(?:\(|:\d)|[ \t]*Traceback \(most recent|[ \t]+File ".*", line \d)/;
const MAX_RAW = 64 * 1024;
const MAX_MESSAGE = 2000;
