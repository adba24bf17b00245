import * as v from "valibot";
import type { SearchHit, SearchQuery } from "../../models.ts";
import type { SearchService } from "../../policy/web.ts";

/** Request and response format of a search service. */
export interface ServiceProfile {
  /** Default base URL; undefined for a self-hosted service. */
  readonly url: string | undefined;
  /** Path of the search, below the base URL. */
  readonly path: string;
  /** Returns the headers that carry the key. */
  readonly headers: (key: string) => Record<string, string>;
  /** Converts a query to the parameters of a GET, or to the JSON body of a POST. */
  readonly toRequest: (query: SearchQuery) =>
    | { parameters: Record<string, string> }
    | { body: Record<string, unknown> };
  /** Parses the response into hits. */
  readonly hits: v.GenericSchema<unknown, SearchHit[]>;
}

/** Maximum length of a query: the limit of Brave and Tavily. */
export const MAX_QUERY_CHARS = 400;

const optionalText = v.optional(v.nullable(v.string()));

/** Supported search services. */
export const SEARCH_SERVICES: Readonly<Record<SearchService, ServiceProfile>> = {
  // https://docs.searxng.org/dev/search_api.html
  searxng: {
    url: undefined,
    path: "/search",
    headers: (key) => ({ authorization: `Bearer ${key}` }),
    toRequest: (query) => ({ parameters: { q: withSiteFilters(query), format: "json" } }),
    hits: v.pipe(
      v.object({
        results: v.array(
          v.object({
            url: optionalText,
            title: optionalText,
            content: optionalText,
            publishedDate: optionalText,
          }),
        ),
      }),
      v.transform(({ results }) =>
        results.map(({ url, title, content, publishedDate }) => toHit(url, title, [content], publishedDate))
      ),
    ),
  },
  // https://api-dashboard.search.brave.com/app/documentation/web-search
  brave: {
    url: "https://api.search.brave.com",
    path: "/res/v1/web/search",
    headers: (key) => ({ "x-subscription-token": key }),
    toRequest: (query) => ({
      parameters: {
        q: withSiteFilters(query),
        count: String(Math.min(query.limit, 20)),
        text_decorations: "false",
      },
    }),
    hits: v.pipe(
      v.object({
        web: v.optional(v.nullable(v.object({
          results: v.array(v.object({
            url: optionalText,
            title: optionalText,
            description: optionalText,
            extra_snippets: v.optional(v.nullable(v.array(v.string()))),
            age: optionalText,
            page_age: optionalText,
          })),
        }))),
      }),
      v.transform(({ web }) =>
        (web?.results ?? []).map(({ url, title, description, extra_snippets, age, page_age }) =>
          toHit(url, title, [description, ...extra_snippets ?? []], age ?? page_age)
        )
      ),
    ),
  },
  // https://docs.tavily.com/documentation/api-reference/endpoint/search
  tavily: {
    url: "https://api.tavily.com",
    path: "/search",
    headers: (key) => ({ authorization: `Bearer ${key}` }),
    toRequest: ({ query, limit, allowedDomains, blockedDomains }) => ({
      body: {
        query,
        max_results: Math.min(limit, 20),
        ...(allowedDomains?.length ? { include_domains: allowedDomains } : {}),
        ...(blockedDomains?.length ? { exclude_domains: blockedDomains } : {}),
      },
    }),
    hits: v.pipe(
      v.object({
        results: v.array(
          v.object({
            url: optionalText,
            title: optionalText,
            content: optionalText,
            published_date: optionalText,
          }),
        ),
      }),
      v.transform(({ results }) =>
        results.map(({ url, title, content, published_date }) => toHit(url, title, [content], published_date))
      ),
    ),
  },
  // https://docs.exa.ai/reference/search
  exa: {
    url: "https://api.exa.ai",
    path: "/search",
    headers: (key) => ({ "x-api-key": key }),
    toRequest: ({ query, limit, allowedDomains, blockedDomains }) => ({
      body: {
        query,
        numResults: Math.min(limit, 25),
        contents: { text: { maxCharacters: 1_000 } },
        ...(allowedDomains?.length ? { includeDomains: allowedDomains } : {}),
        ...(blockedDomains?.length ? { excludeDomains: blockedDomains } : {}),
      },
    }),
    hits: v.pipe(
      v.object({
        results: v.array(
          v.object({
            url: optionalText,
            title: optionalText,
            text: optionalText,
            publishedDate: optionalText,
          }),
        ),
      }),
      v.transform(({ results }) =>
        results.map(({ url, title, text, publishedDate }) => toHit(url, title, [text], publishedDate))
      ),
    ),
  },
};

type OptionalText = string | null | undefined;

function toHit(
  url: OptionalText,
  title: OptionalText,
  texts: readonly OptionalText[],
  age: OptionalText,
): SearchHit {
  const joined = texts.filter((piece) => piece).join("\n");
  return { url: url ?? "", title: title ?? "", text: joined, ...(age ? { age } : {}) };
}

/** Appends the domains to the query as `site:` filters, for services without such parameters; drops excess ones. */
function withSiteFilters({ query, allowedDomains = [], blockedDomains = [] }: SearchQuery): string {
  const joinFitting = (sites: readonly string[], separator: string) => {
    let fitting = "";
    for (const site of sites) {
      const longer = fitting === "" ? site : fitting + separator + site;
      if (query.length + longer.length + 3 > MAX_QUERY_CHARS) break;
      fitting = longer;
    }
    return fitting;
  };
  const allowed = joinFitting(allowedDomains.map((domain) => `site:${domain}`), " OR ");
  const blocked = joinFitting(blockedDomains.map((domain) => `-site:${domain}`), " ");
  return [query, allowed.includes(" OR ") ? `(${allowed})` : allowed, blocked].filter((part) => part !== "")
    .join(" ");
}
