/** The model calls that a tool can make. Their error messages may be shown to a model. */
export interface Models {
  /**
   * Sends one prompt to the small model, without tools, and returns the text of the answer. `source` is text that
   * others wrote; it precedes the prompt, marked as untrusted.
   */
  complete(
    prompt: string,
    options: { source?: string; system?: string; maxTokens: number; signal: AbortSignal },
  ): Promise<string>;
  /** Runs a subagent with the tools of this conversation except `Task`, and returns its final text. */
  runSubagent(prompt: string, options: { model?: string | undefined; signal: AbortSignal }): Promise<string>;
  /** Searches the web with the search of the upstream. */
  search(query: SearchQuery, signal: AbortSignal): Promise<SearchHit[]>;
}

/** A web search. At most one of the two domain lists is set. */
export interface SearchQuery {
  query: string;
  allowedDomains?: readonly string[] | undefined;
  blockedDomains?: readonly string[] | undefined;
  /** Maximum number of hits. */
  limit: number;
}

/** A page found by a web search. */
export interface SearchHit {
  url: string;
  title: string;
  /** Excerpt of the page that matches the query, as returned by the search. */
  text: string;
  /** Age of the page, as worded by the search. */
  age?: string | undefined;
}
