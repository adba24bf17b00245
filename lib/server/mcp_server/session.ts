import { ApiError } from "../../base/errors.ts";
import type { McpRequest } from "./mcp_request.ts";
import type { McpSession } from "./open_calls.ts";

/**
 * Header with the id of a session.
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
export const SESSION_HEADER = "mcp-session-id";

/**
 * Returns the session of a request; undefined if it names none, as in protocol version 2026-07-28.
 *
 * An id is valid until its client ends the session. It only separates the states of the clients of one key, and so it
 * outlives a restart.
 *
 * @throws {ApiError} `not_found_error` if the client has ended the session, or no session can have the id.
 */
export function requireSession({ request, gateway, requestLog }: McpRequest): McpSession | undefined {
  const id = request.headers.get(SESSION_HEADER);
  if (id === null) return undefined;
  const session = { client: requestLog.caller.client, id };
  if (/^[\w.-]{1,128}$/.test(id) && !gateway.mcpCalls.hasEnded(session)) return session;
  throw new ApiError("not_found_error", "Cannot find the session: it has ended, initialize a new one");
}
