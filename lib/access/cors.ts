import { type Doors, isAllowed } from "./origin_check.ts";

/**
 * The headers that let pages of the allowed origins read an answer. None where CORS is off.
 *
 * Credentials of browsers are never allowed: a page brings its key itself.
 */
export function toCorsHeaders({ headers }: Request, { origins }: Doors): [name: string, value: string][] {
  if (origins.size === 0) return [];
  const all = origins.has("*");
  const vary: [string, string][] = all ? [] : [["vary", "Origin"]];
  const origin = headers.get("origin");
  if (origin === null || !isAllowed(origin, origins)) return vary;
  return [
    ["access-control-allow-origin", all ? "*" : origin],
    ["access-control-expose-headers", EXPOSED.join(", ")],
    ...vary,
  ];
}

/** Answers the question that a browser asks before the request of a page; nothing where this is none. */
export function answerPreflight({ method, headers }: Request, { origins }: Doors): Response | undefined {
  const origin = headers.get("origin");
  const asks = method === "OPTIONS" && headers.has("access-control-request-method");
  if (!asks || origin === null || !isAllowed(origin, origins)) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": "GET, HEAD, POST",
      "access-control-allow-headers": ALLOWED.join(", "),
      "access-control-max-age": "600",
    },
  });
}

/**
 * What clients send. `*` is every header but `authorization`; the others are named for browsers that do not know it.
 * Source: https://github.com/anthropics/anthropic-sdk-typescript
 */
const ALLOWED = [
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

const RATES = ["requests", "tokens", "input-tokens", "output-tokens"].flatMap((what) =>
  ["limit", "remaining", "reset"].map((which) => `anthropic-ratelimit-${what}-${which}`)
);

/** What pages may read of an answer's headers: all that the gateway sets itself. */
const EXPOSED = [
  "request-id",
  "retry-after",
  "x-should-retry",
  "x-correlation-id",
  "x-gateway-model",
  "x-gateway-loss",
  "x-token-count-source",
  "x-token-count-cost",
  ...RATES,
];
