import type { Models, SearchHit, SearchQuery } from "../models.ts";
import { createDomainFilter, type DomainFilter, type DomainLists, DomainsError } from "../policy/domains.ts";
import { parseAllowHosts, shortenUrl } from "../policy/url.ts";
import type { WebPolicy } from "../policy/web.ts";
import { FetchError } from "../errors.ts";
import { type Connect, createConnect } from "./web/connect.ts";
import { fetchGuarded } from "./web/guarded_fetch.ts";
import { type Page, readPage } from "./web/page.ts";
import { type Resolve, systemResolve } from "./web/resolve.ts";
import { searchWeb } from "./web/search.ts";
import { type After, startTimeLimit, systemAfter } from "./web/time_limit.ts";

export type { Page } from "./web/page.ts";

/** Access to the public web. */
export interface Web {
  /**
   * Fetches a page and reads it.
   *
   * @throws {FetchError} with the reason as a message and as one of Anthropic's error codes.
   */
  fetchPage(url: string, options?: FetchOptions): Promise<Page>;
  /**
   * Searches the web. All hits are within the query's domains, with every search engine.
   *
   * @throws {SearchError} with the reason as a message and as one of Anthropic's error codes.
   */
  search(query: SearchQuery): Promise<SearchHit[]>;
}

/** Options of a fetch. */
export interface FetchOptions extends DomainLists {
  /** Maximum length of the URL. Default: 2,000. */
  readonly maxUrlChars?: number | undefined;
  /** Form in which a PDF is returned. Default: `text`. */
  readonly pdf?: "text" | "bytes" | undefined;
  /** True to follow a redirect to another host; false to return it as `movedTo`. Default: true. */
  readonly followToOtherHost?: boolean | undefined;
}

/** Network access and timer; replaced in tests. */
export interface WebTransport {
  readonly resolve?: Resolve;
  readonly connect?: Connect;
  /** Sends requests to the search service. */
  readonly fetch?: typeof fetch;
  readonly after?: After;
}

/** Signal and models of one call. */
export interface WebCall {
  readonly signal: AbortSignal;
  readonly models: Pick<Models, "search">;
}

/**
 * Creates access to the web, within the policy.
 *
 * @throws {TypeError} if an allowed host is not `host:port`.
 */
export function createWeb(
  policy: WebPolicy,
  { resolve = systemResolve, connect = createConnect(), fetch = globalThis.fetch, after = systemAfter }:
    WebTransport = {},
): (call: WebCall) => Web {
  const { search, limits } = policy;
  const allowHosts = parseAllowHosts(policy.allowHosts);
  return ({ signal, models }) => ({
    async fetchPage(url, { maxUrlChars = 2_000, pdf = "text", followToOtherHost = true, ...lists } = {}) {
      if (url.length > maxUrlChars) {
        throw new FetchError(
          "url_too_long",
          `Cannot fetch "${shortenUrl(url)}": it is longer than ${maxUrlChars} characters`,
        );
      }
      const isAllowed = createFilter(url, lists);
      const limit = startTimeLimit(signal, { ms: limits.timeoutMs, after });
      const { redirects } = limits;
      try {
        const rules = { allowHosts, redirects, isAllowed, followToOtherHost };
        const guard = { ...rules, resolve, connect, after, signal: limit.signal };
        const fetched = await fetchGuarded(url, guard);
        if ("movedTo" in fetched) return movedPage(fetched);
        return await limit.race(readPage(fetched, { limits, pdf, signal: limit.signal }));
      } catch (cause) {
        signal.throwIfAborted();
        if (!limit.isExpired) throw cause;
        const why = `it took longer than ${limits.timeoutMs / 1000} seconds`;
        throw new FetchError("url_not_accessible", `Cannot fetch "${shortenUrl(url)}": ${why}`, { cause });
      } finally {
        limit.stop();
      }
    },
    search: (query) => searchWeb(query, { search, limits, fetch, after, signal, models }),
  });
}

function createFilter(url: string, lists: DomainLists): DomainFilter {
  try {
    return createDomainFilter(lists);
  } catch (cause) {
    if (!(cause instanceof DomainsError)) throw cause;
    throw new FetchError("invalid_tool_input", `Cannot fetch "${shortenUrl(url)}": ${cause.message}`, {
      cause,
    });
  }
}

function movedPage({ url, status, movedTo }: { url: URL; status: number; movedTo: URL }): Page {
  return {
    url: url.href,
    status,
    mediaType: "text/plain",
    title: undefined,
    bytes: 0,
    content: { type: "text", text: "" },
    truncated: false,
    movedTo: movedTo.href,
  };
}
