/** Which hosts may be asked, and by whom the web is searched. */
export interface WebPolicy {
  /** Hosts of the owner's own network that may be asked, as `host:port`. */
  readonly allowHosts: ReadonlySet<string>;
  readonly search: SearchPolicy;
}

/** By whom the web is searched: the upstream itself, or a service with an address of its own. */
export type SearchPolicy =
  | { readonly by: "openrouter" }
  | {
    readonly by: "searxng" | "brave" | "tavily" | "exa";
    readonly url: string;
    readonly key?: string | undefined;
  };
