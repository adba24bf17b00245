import type { ResponseBlock } from "../anthropic/events.ts";
import type { ContentBlock, CustomTool, Message, ToolResultBlock } from "../anthropic/schema.ts";
import type { JsonObject } from "../base/json.ts";
import type { Citable } from "./citations.ts";

/** A call that the gateway runs; `id` is the client's. */
export interface ServerCall {
  id: string;
  input: JsonObject;
}

/** A result as sent to the model. */
export type ModelResult = Pick<ToolResultBlock, "content" | "is_error">;

/** Result of a call. */
export interface ToolRun {
  /** Block for the client. */
  block: ResponseBlock;
  /** Result for the model, if it has content that the block cannot hold. */
  modelResult?: ModelResult;
  /** Counter of the message's usage to increment. */
  count?: "web_search_requests" | "web_fetch_requests";
}

/** A tool that the gateway runs, in the format of Anthropic's server tools. */
export interface ServerTool {
  /** Definition sent to the model. */
  readonly definition: CustomTool;
  /** Path of the tool in the client's request. */
  readonly path: string;
  /** True if the model sees the tool only after a tool search has found it. */
  readonly deferred: boolean;
  /** True if this is the search for deferred tools. */
  readonly isToolSearch?: boolean;
  /**
   * True if no result has text that others wrote. All other results reach the model inside a fence, whatever the tool.
   */
  readonly trusted?: boolean;
  /**
   * True if a call that was interrupted may run again. Default: only tools whose calls are `server_tool_use` blocks,
   * which change nothing.
   */
  readonly repeatable?: boolean;
  /** Type of the block that represents a call. */
  readonly kind: "mcp_tool_use" | "server_tool_use";
  /** Name of the MCP server in the block of a call, if it has one. */
  readonly server?: string;
  /** Returns the block of a call. */
  toCallBlock(call: ServerCall): ResponseBlock;
  /**
   * Runs a call. `conversation` is the one sent to the model. A failure is returned as a result.
   *
   * @throws the signal's reason, once the request is aborted.
   */
  run(call: ServerCall, conversation: readonly Message[]): Promise<ToolRun>;
  /** Returns the result of a call beyond the limit of its turn. */
  tooManyCalls(call: ServerCall): ToolRun;
  /** Converts a block of the client to a result for the model, without a fence. */
  toModelResult(result: ContentBlock): ModelResult;
  /** Returns the pages of a result that the model can cite, by mark. */
  citations?(result: ContentBlock): [mark: string, page: Citable][];
}
