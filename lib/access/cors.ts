import { isAllowedOrigin, type OriginPolicy } from "./origin_check.ts";

/**
 * Returns the headers that let pages of allowed origins read a response. Empty if CORS is off.
 *
 * Browser credentials are never allowed: a page sends its key in a header.
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

/** Answers a CORS preflight from an allowed origin. Returns `undefined` for any other request. */
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
      "access-control-allow-methods": "GET, HEAD, POST, DELETE",
      "access-control-allow-headers": ALLOWED_HEADERS.join(", "),
      "access-control-max-age": "600",
    },
  });
}

/**
 * Request headers that clients send. `*` covers every header but `authorization`. The others are listed for browsers
 * without support for `*`.
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
  "anthropic-user-profile-id",
  "anthropic-workspace-id",
  "x-claude-code-session-id",
  "x-session-id",
  "x-correlation-id",
  "idempotency-key",
  "mcp-session-id",
  "mcp-protocol-version",
  "mcp-method",
  "mcp-name",
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

/** Response headers that pages may read: all that the gateway sets itself. */
const EXPOSED_HEADERS = [
  "request-id",
  "retry-after",
  "x-should-retry",
  "x-correlation-id",
  "x-upstream-request-id",
  "retry-after-ms",
  "x-gateway-model",
  "x-gateway-loss",
  "x-token-count-source",
  "x-token-count-cost",
  "mcp-session-id",
  ...RATE_LIMIT_HEADERS,
];
