/**
 * A failed tool call. The model sees the message. Any other error is a bug, and the model sees only that the gateway
 * failed.
 */
export class ToolError extends Error {
  override name = "ToolError";
}

/** Error code of a failed fetch, as in Anthropic's `web_fetch`. */
export type FetchErrorCode =
  | "invalid_tool_input"
  | "url_too_long"
  | "url_not_allowed"
  | "url_not_accessible"
  | "unsupported_content_type"
  | "content_too_large"
  | "too_many_requests"
  | "unavailable";

/** Error code of a failed search, as in Anthropic's `web_search`. */
export type SearchErrorCode = "invalid_tool_input" | "query_too_long" | "too_many_requests" | "unavailable";

/** A call beyond the calls per minute of its client. */
export class RateError extends ToolError {
  override name = "RateError";
  /** Error code of Anthropic's web tools. */
  readonly code = "too_many_requests";
}

/** A failed fetch of a web page. */
export class FetchError extends ToolError {
  override name = "FetchError";
  readonly code: FetchErrorCode;

  constructor(code: FetchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A failed web search. */
export class SearchError extends ToolError {
  override name = "SearchError";
  readonly code: SearchErrorCode;

  constructor(code: SearchErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A failed exchange with an MCP server. */
export class McpError extends ToolError {
  override name = "McpError";
  /** HTTP status of the server's answer, if that is the reason. */
  readonly status: number | undefined;

  constructor(message: string, { status, ...options }: ErrorOptions & { status?: number | undefined } = {}) {
    super(message, options);
    this.status = status;
  }
}
