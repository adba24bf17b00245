/** Allowed hosts, limits, and the search engine. */
export interface WebPolicy {
  /**
   * Hosts of the operator's network that may be fetched, as `host:port`. Only these are exempt from the rules about
   * addresses, names and ports.
   */
  readonly allowHosts: ReadonlySet<string>;
  readonly search: SearchPolicy;
  readonly limits: WebLimits;
}

/** Limits of a fetch or a search. */
export interface WebLimits {
  /** Time limit of a page, including redirects, or of a search, in milliseconds. */
  readonly timeoutMs: number;
  /** Maximum size of a page in bytes, after decompression. A longer page is truncated. */
  readonly textBytes: number;
  /** Maximum size of a PDF in bytes. A larger PDF is rejected. */
  readonly pdfBytes: number;
  /** Maximum number of redirects. */
  readonly redirects: number;
}

/** Default limits: enough for pages made for people, and affordable for a busy gateway. */
export const WEB_LIMITS: WebLimits = {
  timeoutMs: 20_000,
  textBytes: 2 * 1024 * 1024,
  pdfBytes: 10 * 1024 * 1024,
  redirects: 5,
};

/** Search engine: the upstream itself, or a separate service. */
export type SearchPolicy =
  | { readonly engine: "openrouter" }
  | {
    readonly engine: SearchService;
    /** Base URL of the service. Default: its public address; SearXNG has none. */
    readonly url?: string | undefined;
    readonly key?: string | undefined;
  };

/** A service that searches the web. */
export type SearchService = "searxng" | "brave" | "tavily" | "exa";
