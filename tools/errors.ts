/** What a failed call tells the model; any other error is a bug, of which the model is told no more than that. */
export class ToolError extends Error {
  override name = "ToolError";
}

/** Why a page could not be fetched, in the words that Anthropic's `web_fetch` has for it. */
export type FetchErrorCode =
  | "invalid_tool_input"
  | "url_too_long"
  | "url_not_allowed"
  | "url_not_accessible"
  | "unsupported_content_type"
  | "content_too_large"
  | "too_many_requests"
  | "unavailable";

/** Why the web could not be searched, in the words that Anthropic's `web_search` has for it. */
export type SearchErrorCode = "invalid_tool_input" | "query_too_long" | "too_many_requests" | "unavailable";

/** A page that could not be fetched. */
export class FetchError extends ToolError {
  override name = "FetchError";
  readonly code: FetchErrorCode;

  constructor(code: FetchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A search that came to nothing. */
export class SearchError extends ToolError {
  override name = "SearchError";
  readonly code: SearchErrorCode;

  constructor(code: SearchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
