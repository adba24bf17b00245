import * as v from "valibot";
import type { Models, SearchHit, SearchQuery } from "../../models.ts";
import { createDomainFilter, type DomainFilter, DomainsError } from "../../policy/domains.ts";
import type { SearchPolicy, WebLimits } from "../../policy/web.ts";
import { SearchError, ToolError } from "../../errors.ts";
import { MAX_QUERY_CHARS, SEARCH_SERVICES } from "./search_services.ts";
import { type After, startTimeLimit, type TimeLimit } from "./time_limit.ts";

/** Search engine, limits and dependencies of a search. */
export interface WebSearchOptions {
  readonly search: SearchPolicy;
  readonly limits: WebLimits;
  readonly fetch: typeof fetch;
  readonly after: After;
  readonly signal: AbortSignal;
  readonly models: Pick<Models, "search">;
}

/** Characters kept of a hit's text. */
const MAX_HIT_CHARS = 2_000;

/**
 * Searches the web with the operator's search engine, and keeps the hits within the query's domains.
 *
 * @throws {SearchError} if the query is invalid, or the search fails.
 */
export async function searchWeb(query: SearchQuery, options: WebSearchOptions): Promise<SearchHit[]> {
  const { limits, after, signal } = options;
  const isAllowed = createFilter(query);
  if (query.query.trim() === "") {
    throw new SearchError("invalid_tool_input", "Cannot search: the query is empty");
  }
  if (query.query.length > MAX_QUERY_CHARS) {
    const message = `Cannot search: the query is longer than ${MAX_QUERY_CHARS} characters`;
    throw new SearchError("query_too_long", message);
  }
  const limit = startTimeLimit(signal, { ms: limits.timeoutMs, after });
  try {
    const hits = await limit.race(runSearch(query, options, limit));
    return hits.flatMap((hit) => cleanHit(hit, isAllowed)).slice(0, query.limit);
  } catch (cause) {
    signal.throwIfAborted();
    if (!limit.isExpired) throw cause;
    const message = `Cannot search: the search took longer than ${limits.timeoutMs / 1000} seconds`;
    throw new SearchError("unavailable", message, { cause });
  } finally {
    limit.stop();
  }
}

function runSearch(
  query: SearchQuery,
  options: WebSearchOptions,
  limit: TimeLimit,
): Promise<readonly SearchHit[]> {
  const { search, models, fetch } = options;
  switch (search.engine) {
    case "openrouter":
      return searchUpstream(query, models, limit);
    case "searxng":
    case "brave":
    case "tavily":
    case "exa":
      return searchService(query, { service: search, fetch, limit });
  }
}

async function searchUpstream(
  query: SearchQuery,
  models: WebSearchOptions["models"],
  limit: TimeLimit,
): Promise<SearchHit[]> {
  try {
    return await models.search(query, limit.signal);
  } catch (cause) {
    limit.signal.throwIfAborted();
    if (cause instanceof ToolError) throw cause;
    throw new SearchError("unavailable", "Cannot search: the upstream's search failed", { cause });
  }
}

interface ServiceOptions {
  service: Exclude<SearchPolicy, { engine: "openrouter" }>;
  fetch: typeof fetch;
  limit: TimeLimit;
}

async function searchService(
  query: SearchQuery,
  { service, fetch, limit }: ServiceOptions,
): Promise<SearchHit[]> {
  const { engine, key } = service;
  const profile = SEARCH_SERVICES[engine];
  const base = service.url ?? profile.url;
  if (base === undefined) {
    throw new SearchError("unavailable", `Cannot search: no URL is configured for ${engine}`);
  }
  const url = new URL(base.replace(/\/+$/, "") + profile.path);
  const request = profile.toRequest(query);
  const headers: Record<string, string> = {
    accept: "application/json",
    ...(key ? profile.headers(key) : {}),
  };
  const init: RequestInit = { headers, redirect: "manual", signal: limit.signal };
  if ("parameters" in request) {
    for (const [name, value] of Object.entries(request.parameters)) url.searchParams.set(name, value);
  } else {
    headers["content-type"] = "application/json";
    init.method = "POST";
    init.body = JSON.stringify(request.body);
  }
  const payload = await readServiceJson(await fetchService(fetch, { url, init, engine, limit }), engine);
  const parsed = v.safeParse(profile.hits, payload);
  if (!parsed.success) {
    throw new SearchError("unavailable", `Cannot search: ${engine} sent an unexpected response`);
  }
  return parsed.output;
}

interface ServiceRequest {
  url: URL;
  init: RequestInit;
  engine: string;
  limit: TimeLimit;
}

/** Sends a request. The runtime's error is not kept as the cause, because it may contain the URL or the key. */
async function fetchService(
  fetch: WebSearchOptions["fetch"],
  { url, init, engine, limit }: ServiceRequest,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch {
    limit.signal.throwIfAborted();
    throw new SearchError("unavailable", `Cannot search: ${engine} did not respond`);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 429) {
    throw new SearchError("too_many_requests", `Cannot search: the rate limit of ${engine} is exceeded`);
  }
  const hint = HINTS[response.status] ?? "";
  throw new SearchError(
    "unavailable",
    `Cannot search: ${engine} responded with status ${response.status}${hint}`,
  );
}

const HINTS: Record<number, string> = {
  401: ", because it does not accept the gateway's key",
  403: ", because it does not accept the gateway's key, or does not offer JSON",
};

/** Maximum size of a response. */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

async function readServiceJson(response: Response, engine: string): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const bytes of response.body ?? []) {
    size += bytes.byteLength;
    if (size > MAX_RESPONSE_BYTES) {
      throw new SearchError(
        "unavailable",
        `Cannot search: the response of ${engine} is larger than ${MAX_RESPONSE_BYTES} bytes`,
      );
    }
    text += decoder.decode(bytes, { stream: true });
  }
  try {
    return JSON.parse(text + decoder.decode());
  } catch {
    throw new SearchError("unavailable", `Cannot search: the response of ${engine} is not JSON`);
  }
}

/** Normalizes and shortens a hit; returns none if its URL is not `http(s)` or not allowed. */
function cleanHit(hit: SearchHit, isAllowed: DomainFilter): SearchHit[] {
  if (!URL.canParse(hit.url)) return [];
  const url = new URL(hit.url);
  if (!/^https?:$/.test(url.protocol) || !isAllowed(url)) return [];
  const title = hit.title.replace(/\s+/g, " ").trim().slice(0, 300);
  return [{
    ...hit,
    url: url.href,
    title: title === "" ? url.href : title,
    text: hit.text.trim().slice(0, MAX_HIT_CHARS),
  }];
}

function createFilter(query: SearchQuery): DomainFilter {
  try {
    return createDomainFilter(query);
  } catch (cause) {
    if (!(cause instanceof DomainsError)) throw cause;
    throw new SearchError("invalid_tool_input", `Cannot search: ${cause.message}`, { cause });
  }
}
