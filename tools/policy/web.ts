/** Which hosts may be asked, how much of them is read, and by whom the web is searched. */
export interface WebPolicy {
  /**
   * Hosts of the owner's own network that may be asked, as `host:port`. Each is exempt from every rule about addresses,
   * names and ports, for itself alone.
   */
  readonly allowHosts: ReadonlySet<string>;
  readonly search: SearchPolicy;
  readonly limits: WebLimits;
}

/** How much a page may cost. */
export interface WebLimits {
  /** Milliseconds that a page or a search may take, with all its redirects. */
  readonly timeoutMs: number;
  /** Bytes of a page that are read, after they were unpacked; what is beyond them is left out. */
  readonly textBytes: number;
  /** Bytes that a PDF may have. */
  readonly pdfBytes: number;
  readonly redirects: number;
}

/** Limits that suit pages made for people, and that a gateway with other work to do can bear. */
export const WEB_LIMITS: WebLimits = {
  timeoutMs: 20_000,
  textBytes: 2 * 1024 * 1024,
  pdfBytes: 10 * 1024 * 1024,
  redirects: 5,
};

/** By whom the web is searched: the upstream itself, or a service with an address of its own. */
export type SearchPolicy =
  | { readonly engine: "openrouter" }
  | {
    readonly engine: SearchService;
    /** Where the service is; its usual address where this is missing. SearXNG has none. */
    readonly url?: string | undefined;
    readonly key?: string | undefined;
  };

/** A service that searches the web. */
export type SearchService = "searxng" | "brave" | "tavily" | "exa";
