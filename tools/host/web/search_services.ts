import * as v from "valibot";
import type { SearchHit, SearchQuery } from "../../models.ts";
import type { SearchService } from "../../policy/web.ts";

/** How a service that searches the web is asked, and how its answer is read. */
export interface ServiceProfile {
  /** Where it usually is; nothing for one that everybody runs for themselves. */
  readonly url: string | undefined;
  /** Its path under that. */
  readonly path: string;
  readonly headers: (key: string) => Record<string, string>;
  /** What is sent: as the query of a GET, or as JSON. */
  readonly question: (query: SearchQuery) =>
    | { parameters: Record<string, string> }
    | { body: Record<string, unknown> };
  /** Its answer, as hits. */
  readonly answer: v.GenericSchema<unknown, SearchHit[]>;
}

/** What a query may have in characters: Brave and Tavily take no more. */
export const MAX_QUERY = 400;

const text = v.optional(v.nullable(v.string()));

/** The services that are known. */
export const SEARCH_SERVICES: Readonly<Record<SearchService, ServiceProfile>> = {
  // https://docs.searxng.org/dev/search_api.html
  searxng: {
    url: undefined,
    path: "/search",
    headers: (key) => ({ authorization: `Bearer ${key}` }),
    question: (query) => ({ parameters: { q: withSites(query), format: "json" } }),
    answer: v.pipe(
      v.object({
        results: v.array(v.object({ url: text, title: text, content: text, publishedDate: text })),
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
    question: (query) => ({
      parameters: {
        q: withSites(query),
        count: String(Math.min(query.limit, 20)),
        text_decorations: "false",
      },
    }),
    answer: v.pipe(
      v.object({
        web: v.optional(v.nullable(v.object({
          results: v.array(v.object({
            url: text,
            title: text,
            description: text,
            extra_snippets: v.optional(v.nullable(v.array(v.string()))),
            age: text,
            page_age: text,
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
    question: ({ query, limit, allowedDomains, blockedDomains }) => ({
      body: {
        query,
        max_results: Math.min(limit, 20),
        ...(allowedDomains?.length ? { include_domains: allowedDomains } : {}),
        ...(blockedDomains?.length ? { exclude_domains: blockedDomains } : {}),
      },
    }),
    answer: v.pipe(
      v.object({
        results: v.array(v.object({ url: text, title: text, content: text, published_date: text })),
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
    question: ({ query, limit, allowedDomains, blockedDomains }) => ({
      body: {
        query,
        numResults: Math.min(limit, 25),
        contents: { text: { maxCharacters: 1_000 } },
        ...(allowedDomains?.length ? { includeDomains: allowedDomains } : {}),
        ...(blockedDomains?.length ? { excludeDomains: blockedDomains } : {}),
      },
    }),
    answer: v.pipe(
      v.object({ results: v.array(v.object({ url: text, title: text, text, publishedDate: text })) }),
      v.transform(({ results }) =>
        results.map(({ url, title, text, publishedDate }) => toHit(url, title, [text], publishedDate))
      ),
    ),
  },
};

type Text = string | null | undefined;

function toHit(url: Text, title: Text, texts: readonly Text[], age: Text): SearchHit {
  const words = texts.filter((piece) => piece).join("\n");
  return { url: url ?? "", title: title ?? "", text: words, ...(age ? { age } : {}) };
}

/** The query with its domains in it, for a service that has no other place for them; as many as there is room for. */
function withSites({ query, allowedDomains = [], blockedDomains = [] }: SearchQuery): string {
  const fit = (sites: readonly string[], glue: string) => {
    let fitting = "";
    for (const site of sites) {
      const longer = fitting === "" ? site : fitting + glue + site;
      if (query.length + longer.length + 3 > MAX_QUERY) break;
      fitting = longer;
    }
    return fitting;
  };
  const allowed = fit(allowedDomains.map((domain) => `site:${domain}`), " OR ");
  const blocked = fit(blockedDomains.map((domain) => `-site:${domain}`), " ");
  return [query, allowed.includes(" OR ") ? `(${allowed})` : allowed, blocked].filter((part) => part !== "")
    .join(" ");
}
