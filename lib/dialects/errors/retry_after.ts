import { isObject, type JsonObject } from "../../base/json.ts";
import { firstObject } from "./error_shapes.ts";

/** Where an upstream may say how long to wait. */
export interface RetrySources {
  headers?: Headers | undefined;
  /** The body, and the object that describes its error. */
  body: JsonObject;
  error: JsonObject;
  message: string | undefined;
  status: number;
  /** Milliseconds since 1970. Undefined if times of day cannot be converted to delays. */
  now: number | undefined;
}

/** Delay from which a repeat by the client is futile: it would only burn more of a quota that is used up. */
const FUTILE_DELAY_S = 3600;

/** Messages about a quota that is renewed only after a day or more. */
const DAILY_QUOTA = /\bper[- ]?(day|month)\b|\b(daily|monthly)[- ](\w+[- ])?(limit|quota|allowance)/i;

/**
 * Returns the delay before a repeat, as the value of `retry-after`, from the place where the upstream says it: a
 * header, a member of the body, or the words of the message.
 */
export function findRetryAfter(sources: RetrySources): string | undefined {
  const { headers, body, error, message, status, now } = sources;
  const header = headers?.get("retry-after");
  if (isRetryAfter(header)) return header;
  const availability = firstObject(error.availability ?? body.availability);
  const metadata = firstObject(error.metadata);
  const seconds = [
    milliseconds(headers?.get("retry-after-ms")),
    parseSeconds(availability.retry_after),
    ...RETRY_FIELDS.map((field) => parseSeconds(error[field] ?? body[field] ?? metadata[field])),
    milliseconds(error.retry_after_ms ?? metadata.retry_after_ms),
    geminiRetryDelay(error.details),
    ...(status === 429 ? resetDelays(toHeaders(metadata.headers), now) : []),
    durationInWords(message ?? ""),
    ...(status === 429 ? resetDelays(headers, now) : []),
  ].find((delay) => delay !== undefined);
  return seconds === undefined ? undefined : String(Math.ceil(seconds));
}

/** True if a repeat soon is futile: the delay is an hour or more, or a quota of a day is used up. */
export function isFutileDelay(
  { retryAfter, message = "", status }: {
    retryAfter: string | undefined;
    message: string | undefined;
    status: number;
  },
): boolean {
  if (retryAfter !== undefined) return Number(retryAfter) >= FUTILE_DELAY_S;
  return status === 429 && DAILY_QUOTA.test(message);
}

/** Members of an error that hold a delay in seconds. */
const RETRY_FIELDS = [
  "retry_after",
  "retryAfter",
  "retry_after_seconds",
  "retryAfterSeconds",
  "estimated_time", // Hugging Face, while it loads a model
];

/** True for seconds or an HTTP date; other values are not passed on. */
function isRetryAfter(value: string | null | undefined): value is string {
  return /^(\d{1,9}(\.\d{1,9})?|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT)$/.test(
    value ?? "",
  );
}

function parseSeconds(value: unknown): number | undefined {
  const seconds = typeof value === "string" && value !== "" ? Number(value.replace(/s$/, "")) : value;
  return typeof seconds === "number" && seconds >= 0 && seconds < 1e6 ? seconds : undefined;
}

function milliseconds(value: unknown): number | undefined {
  const ms = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof ms === "number" && ms >= 0 && ms < 1e9 ? ms / 1000 : undefined;
}

/** Returns Gemini's retry delay, from a detail `{"@type": "…RetryInfo", "retryDelay": "41s"}`. */
function geminiRetryDelay(details: unknown): number | undefined {
  if (!Array.isArray(details)) return undefined;
  const delays = details.filter(isObject).map(({ retryDelay }) => retryDelay);
  return parseSeconds(delays.find((delay) => typeof delay === "string" && delay !== ""));
}

/** Headers that say when a limit is renewed, as OpenRouter repeats them in a body, and as OpenAI and Groq send them. */
const RESET_HEADERS = [
  "x-ratelimit-reset",
  "ratelimit-reset",
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens",
];

/** Returns the delays of the limits that are used up: `x-ratelimit-reset-tokens` counts if no tokens remain. */
function resetDelays(headers: Headers | undefined, now: number | undefined): (number | undefined)[] {
  return RESET_HEADERS.filter((name) => Number(headers?.get(name.replace("reset", "remaining")) ?? 1) === 0)
    .map((name) => toDelay(headers?.get(name) ?? "", now))
    .concat(combinedReset(headers?.get("ratelimit") ?? ""));
}

/**
 * Returns the delay of the combined header `ratelimit`, if the limit is used up: `limit=10, remaining=0, reset=7`, or
 * `"default";r=0;t=7`.
 *
 * Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
 */
function combinedReset(header: string): number | undefined {
  if (!/\b(?:remaining|r)=0\b/.test(header)) return undefined;
  return parseSeconds(/\b(?:reset|t)=(\d{1,6})\b/.exec(header)?.[1]);
}

/** Converts a time of renewal to a delay: milliseconds or seconds since 1970, seconds from now, or `1m26.4s`. */
function toDelay(value: string, now: number | undefined): number | undefined {
  const number = value === "" ? NaN : Number(value);
  if (Number.isNaN(number)) return parseDuration(value);
  if (number < 1e8) return number >= 0 ? number : undefined;
  if (now === undefined) return undefined;
  return Math.max(0, (number > 1e11 ? number : number * 1000) - now) / 1000;
}

/** Returns the delay that a message asks for in words: `try again in 7.66s`, `retry after 24 seconds`. */
function durationInWords(message: string): number | undefined {
  const words =
    /\b(?:try again|retry|wait|resets?|available)\b[^.\d]{0,40}((?:\d+(?:\.\d+)?\s*[a-z]+\s*){1,3})/i;
  return parseDuration(words.exec(message)?.[1] ?? "");
}

/** Units of durations, in seconds. */
const UNITS: readonly (readonly [unit: RegExp, seconds: number])[] = [
  [/^(ms|millis\w*)$/i, 0.001],
  [/^(s|secs?|seconds?)$/i, 1],
  [/^(m|mins?|minutes?)$/i, 60],
  [/^(h|hrs?|hours?)$/i, 3600],
  [/^(d|days?)$/i, 86_400],
];

function parseDuration(text: string): number | undefined {
  let total: number | undefined;
  for (const [, number = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    const seconds = UNITS.find(([name]) => name.test(unit))?.[1];
    if (seconds === undefined) break;
    total = (total ?? 0) + Number(number) * seconds;
  }
  return total;
}

/** Converts the headers that a body repeats; fields that are no text or number are left out. */
function toHeaders(value: unknown): Headers | undefined {
  if (!isObject(value)) return undefined;
  const headers = new Headers();
  for (const [name, field] of Object.entries(value)) {
    const isHeader = /^[\w-]+$/.test(name) && /^[\x20-\x7e]*$/.test(String(field));
    if (isHeader && (typeof field === "string" || typeof field === "number")) {
      headers.set(name, String(field));
    }
  }
  return headers;
}
