/** The models behind the gateway, as far as a tool may ask them; what their errors say may be told to a model. */
export interface Models {
  /** Asks the small model once, without tools, and gives its text. */
  complete(
    prompt: string,
    options: { system?: string; maxTokens: number; signal: AbortSignal },
  ): Promise<string>;
  /** Has a model work on a task of its own, with the tools of this conversation but `Task`, and gives its last words. */
  runSubagent(prompt: string, options: { model?: string | undefined; signal: AbortSignal }): Promise<string>;
  /** Searches the web by the upstream's own search. */
  search(query: SearchQuery, signal: AbortSignal): Promise<SearchHit[]>;
}

/** What to search the web for; of the two lists of domains at most one is given. */
export interface SearchQuery {
  query: string;
  allowedDomains?: readonly string[] | undefined;
  blockedDomains?: readonly string[] | undefined;
  /** How many hits at the most. */
  limit: number;
}

/** A page that a search found. */
export interface SearchHit {
  url: string;
  title: string;
  /** What of the page speaks to the query, as far as the search tells. */
  text: string;
  /** How old the page is, in the search's words. */
  age?: string | undefined;
}
