import { isAllowedOrigin, type OriginPolicy } from "./origin_check.ts";

/**
 * The headers that let pages of the allowed origins read an answer. None where CORS is off.
 *
 * Credentials of browsers are never allowed: a page brings its key itself.
 */
export function corsHeaders(
  { headers }: Request,
  { origins }: OriginPolicy,
): [name: string, value: string][] {
  if (origins.size === 0) return [];
  const allowAll = origins.has("*");
  const vary: [string, string][] = allowAll ? [] : [["vary", "Origin"]];
  const origin = headers.get("origin");
  if (origin === null || !isAllowedOrigin(origin, origins)) return vary;
  return [
    ["access-control-allow-origin", allowAll ? "*" : origin],
    ["access-control-expose-headers", EXPOSED_HEADERS.join(", ")],
    ...vary,
  ];
}

/** Answers the question that a browser asks before the request of a page; nothing where this is none. */
export function answerPreflight(
  { method, headers }: Request,
  { origins }: OriginPolicy,
): Response | undefined {
  const origin = headers.get("origin");
  const isPreflight = method === "OPTIONS" && headers.has("access-control-request-method");
  if (!isPreflight || origin === null || !isAllowedOrigin(origin, origins)) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, HEAD, POST",
      "access-control-allow-headers": ALLOWED_HEADERS.join(", "),
      "access-control-max-age": "600",
    },
  });
}

/**
 * What clients send. `*` is every header but `authorization`; the others are named for browsers that do not know it.
 * Source: https://github.com/anthropics/anthropic-sdk-typescript
 */
const ALLOWED_HEADERS = [
  "authorization",
  "x-api-key",
  "content-type",
  "accept",
  "anthropic-version",
  "anthropic-beta",
  "anthropic-dangerous-direct-browser-access",
  "x-claude-code-session-id",
  "x-correlation-id",
  "x-stainless-lang",
  "x-stainless-package-version",
  "x-stainless-os",
  "x-stainless-arch",
  "x-stainless-runtime",
  "x-stainless-runtime-version",
  "x-stainless-retry-count",
  "x-stainless-timeout",
  "x-stainless-helper",
  "x-stainless-helper-method",
  "*",
];

const RATE_LIMIT_HEADERS = ["requests", "tokens", "input-tokens", "output-tokens"].flatMap((metric) =>
  ["limit", "remaining", "reset"].map((field) => `anthropic-ratelimit-${metric}-${field}`)
);

/** What pages may read of an answer's headers: all that the gateway sets itself. */
const EXPOSED_HEADERS = [
  "request-id",
  "retry-after",
  "x-should-retry",
  "x-correlation-id",
  "x-gateway-model",
  "x-gateway-loss",
  "x-token-count-source",
  "x-token-count-cost",
  ...RATE_LIMIT_HEADERS,
];
