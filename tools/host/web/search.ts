import * as v from "valibot";
import type { Models, SearchHit, SearchQuery } from "../../models.ts";
import { type Domains, DomainsError, readDomains } from "../../policy/domains.ts";
import type { SearchPolicy, WebLimits } from "../../policy/web.ts";
import { SearchError, ToolError } from "../../errors.ts";
import { MAX_QUERY, SEARCH_SERVICES } from "./search_services.ts";
import { type After, startTimeLimit, type TimeLimit } from "./time_limit.ts";

/** What a search is made of. */
export interface SearchOptions {
  readonly search: SearchPolicy;
  readonly limits: WebLimits;
  readonly fetch: typeof fetch;
  readonly after: After;
  readonly signal: AbortSignal;
  readonly models: Pick<Models, "search">;
}

/** What is kept of a hit's text. */
const MAX_TEXT = 2_000;

/**
 * Searches the web by whom the owner has chosen, and keeps of the hits those within the query's domains.
 *
 * @throws {SearchError}
 */
export async function searchWeb(query: SearchQuery, options: SearchOptions): Promise<SearchHit[]> {
  const { limits, after, signal } = options;
  const domains = toDomains(query);
  if (query.query.trim() === "") {
    throw new SearchError("invalid_tool_input", "Cannot search: the query is empty");
  }
  if (query.query.length > MAX_QUERY) {
    const message = `Cannot search: the query is longer than ${MAX_QUERY} characters`;
    throw new SearchError("query_too_long", message);
  }
  const limit = startTimeLimit(signal, { ms: limits.time, after });
  try {
    const hits = await limit.hold(ask(query, options, limit));
    return hits.flatMap((hit) => toKept(hit, domains)).slice(0, query.limit);
  } catch (cause) {
    signal.throwIfAborted();
    if (!limit.isUp) throw cause;
    const message = `Cannot search: the search took longer than ${limits.time / 1000} seconds`;
    throw new SearchError("unavailable", message, { cause });
  } finally {
    limit.stop();
  }
}

function ask(query: SearchQuery, options: SearchOptions, limit: TimeLimit): Promise<readonly SearchHit[]> {
  const { search, models, fetch } = options;
  switch (search.by) {
    case "openrouter":
      return askUpstream(query, models, limit);
    case "searxng":
    case "brave":
    case "tavily":
    case "exa":
      return askService(query, { service: search, fetch, limit });
  }
}

async function askUpstream(
  query: SearchQuery,
  models: SearchOptions["models"],
  limit: TimeLimit,
): Promise<SearchHit[]> {
  try {
    return await models.search(query, limit.signal);
  } catch (cause) {
    limit.signal.throwIfAborted();
    if (cause instanceof ToolError) throw cause;
    throw new SearchError("unavailable", "Cannot search: the upstream's search has failed", { cause });
  }
}

interface ServiceOptions {
  service: Exclude<SearchPolicy, { by: "openrouter" }>;
  fetch: typeof fetch;
  limit: TimeLimit;
}

async function askService(
  query: SearchQuery,
  { service, fetch, limit }: ServiceOptions,
): Promise<SearchHit[]> {
  const { by, key } = service;
  const profile = SEARCH_SERVICES[by];
  const base = service.url ?? profile.url;
  if (base === undefined) {
    throw new SearchError("unavailable", `Cannot search: the gateway has no URL of ${by}`);
  }
  const url = new URL(base.replace(/\/+$/, "") + profile.path);
  const question = profile.question(query);
  const headers: Record<string, string> = {
    accept: "application/json",
    ...(key ? profile.headers(key) : {}),
  };
  const init: RequestInit = { headers, redirect: "manual", signal: limit.signal };
  if ("parameters" in question) {
    for (const [name, value] of Object.entries(question.parameters)) url.searchParams.set(name, value);
  } else {
    headers["content-type"] = "application/json";
    init.method = "POST";
    init.body = JSON.stringify(question.body);
  }
  const answer = await readJson(await send(fetch, { url, init, by, limit }), by);
  const parsed = v.safeParse(profile.answer, answer);
  if (!parsed.success) {
    throw new SearchError("unavailable", `Cannot search: ${by} answers with what are no hits`);
  }
  return parsed.output;
}

interface Sending {
  url: URL;
  init: RequestInit;
  by: string;
  limit: TimeLimit;
}

/** Sends a question. What the runtime says of a failure is not passed on: it may quote the URL or a header, and the key. */
async function send(fetch: SearchOptions["fetch"], { url, init, by, limit }: Sending): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch {
    limit.signal.throwIfAborted();
    throw new SearchError("unavailable", `Cannot search: ${by} does not answer`);
  }
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 429) {
    throw new SearchError("too_many_requests", `Cannot search: ${by} is asked too often`);
  }
  const hint = HINTS[response.status] ?? "";
  throw new SearchError(
    "unavailable",
    `Cannot search: ${by} answers with the status ${response.status}${hint}`,
  );
}

const HINTS: Record<number, string> = {
  401: ", for the gateway's key is none that it takes",
  403: ", for the gateway's key is none that it takes, or it does not answer in JSON",
};

/** The most that an answer may have in bytes. */
const MAX_ANSWER = 4 * 1024 * 1024;

async function readJson(response: Response, by: string): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const bytes of response.body ?? []) {
    size += bytes.byteLength;
    if (size > MAX_ANSWER) throw new SearchError("unavailable", `Cannot search: ${by} answers with too much`);
    text += decoder.decode(bytes, { stream: true });
  }
  try {
    return JSON.parse(text + decoder.decode());
  } catch {
    throw new SearchError("unavailable", `Cannot search: ${by} does not answer in JSON`);
  }
}

/** A hit with a URL of the web, in as many words as are worth keeping. */
function toKept(hit: SearchHit, domains: Domains): SearchHit[] {
  if (!URL.canParse(hit.url)) return [];
  const url = new URL(hit.url);
  if (!/^https?:$/.test(url.protocol) || !domains(url)) return [];
  const title = hit.title.replace(/\s+/g, " ").trim().slice(0, 300);
  return [{
    ...hit,
    url: url.href,
    title: title === "" ? url.href : title,
    text: hit.text.trim().slice(0, MAX_TEXT),
  }];
}

function toDomains(query: SearchQuery): Domains {
  try {
    return readDomains(query);
  } catch (cause) {
    if (!(cause instanceof DomainsError)) throw cause;
    throw new SearchError("invalid_tool_input", `Cannot search: ${cause.message}`, { cause });
  }
}
