import type { GatewayContext } from "../context.ts";
import type { RequestLog } from "../request_log/request_log.ts";

/** A request to the endpoint of the MCP server. */
export interface McpRequest {
  request: Request;
  gateway: GatewayContext;
  requestLog: RequestLog;
}
