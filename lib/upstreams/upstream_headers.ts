import type { Caller } from "../access/caller.ts";
import { holdsKey } from "./redact_key.ts";
import type { Upstream } from "./upstream.ts";

/** What the headers of an upstream's response tell the client. */
export interface UpstreamHeaders {
  /** The upstream's id of the request. */
  requestId?: string | undefined;
  /** Limits of the client's own key at Anthropic, by header. */
  rateLimits: readonly (readonly [name: string, value: string])[];
}

/** Headers with an id of the request, the most useful first: of OpenRouter, of Anthropic, of OpenAI and others. */
const ID_HEADERS = ["x-generation-id", "request-id", "x-request-id"];

/** Ids of Anthropic and OpenRouter, and others that are long enough to identify a request. */
const REQUEST_ID = /^(?:(?:req_|gen-)[\w.:-]{1,124}|[\w.:-]{8,128})$/;

const MAX_RATE_LIMIT_HEADERS = 40;
const MAX_VALUE_CHARS = 200;

/**
 * Reads the headers of an upstream's response that the client receives. The limits of the gateway's key are the
 * operator's affair, and are left out.
 */
export function readUpstreamHeaders(
  headers: Headers,
  { upstream, caller }: { upstream: Upstream; caller: Caller },
): UpstreamHeaders {
  const ids = ID_HEADERS.map((name) => headers.get(name) ?? "");
  const usesClientKey = upstream.key === undefined && upstream.acceptsClientKey === true &&
    caller.key !== undefined;
  return {
    requestId: ids.find((id) => REQUEST_ID.test(id) && !holdsKey(id, upstream, caller)),
    rateLimits: usesClientKey ? readRateLimits(headers) : [],
  };
}

function readRateLimits(headers: Headers): [name: string, value: string][] {
  return [...headers].filter(([name, value]) =>
    name.startsWith("anthropic-ratelimit-") && value.length <= MAX_VALUE_CHARS
  ).slice(0, MAX_RATE_LIMIT_HEADERS);
}
