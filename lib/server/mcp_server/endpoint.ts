import type { Toolbox } from "../../../tools/toolbox/toolbox.ts";
import { ApiError, toApiError } from "../../base/errors.ts";
import type { BodyCount } from "../../limits/body_meter.ts";
import type { GatewayContext } from "../context.ts";
import { readJsonBody } from "../read_json.ts";
import { toRpcErrorResponse, UnreadableBody } from "./errors.ts";
import { answerRpc } from "./exchange.ts";
import type { McpRequest } from "./mcp_request.ts";
import { requireSession, SESSION_HEADER } from "./session.ts";

/** Maximum number of messages in a JSON-RPC batch. */
const MAX_BATCH = 64;

/**
 * Answers `POST /mcp`: the gateway's tools as an MCP server over streamable HTTP, for protocol version 2026-07-28,
 * which has no sessions, and those before it. Errors are JSON-RPC errors with an HTTP status.
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
export function answerMcp(call: McpRequest): Promise<Response> {
  return withRpcErrors(call, async () => {
    const { gateway, requestLog } = call;
    const toolbox = await requireToolbox(gateway);
    const session = requireSession(call);
    // The slot is taken before the body is read, and kept until the client has read the answer: both take memory.
    const releaseSlot = await gateway.limits.admitTokenCount(requestLog.caller);
    const count = gateway.bodies.start(requestLog.caller.client);
    const release = () => {
      count.end();
      releaseSlot();
    };
    try {
      const body = await readBody(call, count);
      if (Array.isArray(body) && body.length > MAX_BATCH) {
        throw new ApiError("invalid_request_error", `Cannot read a batch of more than ${MAX_BATCH} messages`);
      }
      return await answerRpc(call, { toolbox, session, body, onEnd: release });
    } finally {
      if (!requestLog.streaming) release();
    }
  });
}

/** Answers `DELETE /mcp`: ends a session and cancels its calls. */
export function answerMcpDelete(call: McpRequest): Promise<Response> {
  return withRpcErrors(call, async () => {
    await requireToolbox(call.gateway);
    const session = requireSession(call);
    if (session === undefined) {
      throw new ApiError("invalid_request_error", `Cannot end a session: ${SESSION_HEADER} is missing`);
    }
    call.gateway.mcpCalls.endSession(session);
    return new Response(null, { status: 204 });
  });
}

/**
 * Answers `GET /mcp` with status 405: the server sends nothing but answers, because its tools do not change while the
 * gateway runs.
 */
export function answerMcpGet(call: McpRequest): Promise<Response> {
  return withRpcErrors(call, async () => {
    await requireToolbox(call.gateway);
    throw new ApiError("invalid_request_error", "Cannot open a stream: the server sends only answers", {
      status: 405,
      retryable: false,
      headers: { allow: "POST, DELETE" },
    });
  });
}

/** Converts failures to JSON-RPC errors. An answer whose client has left is the caller's to end. */
async function withRpcErrors(
  { request, requestLog }: McpRequest,
  answer: () => Promise<Response>,
): Promise<Response> {
  try {
    return await answer();
  } catch (thrown) {
    if (request.signal.aborted) throw thrown;
    const error = toApiError(thrown);
    requestLog.end("failed", error.status, thrown);
    return toRpcErrorResponse(error, requestLog.requestId);
  }
}

async function readBody({ request, gateway }: McpRequest, count: BodyCount): Promise<unknown> {
  try {
    return await readJsonBody(request, count, gateway);
  } catch (error) {
    const isUnreadable = error instanceof ApiError && error.type === "invalid_request_error";
    throw isUnreadable ? new UnreadableBody(error) : error;
  }
}

async function requireToolbox({ loadToolbox }: GatewayContext): Promise<Toolbox> {
  if (loadToolbox !== undefined) return await loadToolbox();
  throw new ApiError("not_found_error", "Cannot serve MCP: the gateway has no tools, TOOLS enables them");
}
