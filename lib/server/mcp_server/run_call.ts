import type { ToolResult } from "../../../tools/call.ts";
import type { Toolbox } from "../../../tools/toolbox/toolbox.ts";
import type { Caller } from "../../access/caller.ts";
import { ApiError } from "../../base/errors.ts";
import type { Admission } from "../../limits/admission.ts";
import { logWarning } from "../../observability/log.ts";
import { type RequestObserver, UNOBSERVED } from "../../observability/request_observer.ts";
import { createToolContext } from "../../turns/gateway_tools/tool_context.ts";
import { toRouteLabel } from "../../upstreams/route_label.ts";
import type { GatewayContext } from "../context.ts";
import type { McpSession } from "./open_calls.ts";
import type { McpCall } from "./server.ts";

/** Options of {@linkcode runCall}. */
export interface RunCallOptions {
  toolbox: Toolbox;
  /** The client; its session is the one that limits and the states of tools distinguish. */
  caller: Pick<Caller, "client" | "key" | "sessionId">;
  /** Whose calls are counted and cancelled together. */
  session: McpSession;
  /** Id of the request, for the log. */
  requestId: string;
  /** Receives the start and end of the call, and the turns of models for it. */
  observer?: RequestObserver;
  /** Fires when the request must end. */
  signal: AbortSignal;
  /**
   * Called once the call has ended, with the function that frees its concurrency slot. A result takes memory until its
   * client has read it.
   */
  onSlotDone(release: () => void): void;
}

/**
 * Runs a tool for an MCP client within the limits of its key: the call counts as a request, and what models answer for
 * the tool is charged. A limit that is reached gives an error result, as a limit of tools does.
 *
 * @throws {CallCancelled} if the client has cancelled the call.
 * @throws the reason of a signal, if it is aborted.
 */
export async function runCall(
  gateway: GatewayContext,
  call: McpCall,
  { toolbox, caller, session, requestId, observer = UNOBSERVED, signal, onSlotDone }: RunCallOptions,
): Promise<ToolResult> {
  const { name, input } = call;
  const open = gateway.mcpCalls.start(session, call.id);
  if (open === undefined) return toErrorResult(`Cannot run ${name}: too many calls at once`);
  try {
    const admission = await admit(gateway, caller);
    if (admission instanceof ApiError) {
      logWarning("tool call refused", { client: caller.client, requestId, tool: name, error: admission });
      return toErrorResult(admission.message);
    }
    try {
      const context = createToolContext(gateway, {
        message: MODEL_REQUEST,
        conversation: caller.sessionId ?? NO_SESSION,
        caller,
        requestId,
        signal: AbortSignal.any([call.signal, open.signal, signal]),
        admission,
        observer,
        onUsage: (usage, route) => admission.charge(usage, toRouteLabel(route)),
        tools: () => [],
        runSubagent: () => Promise.reject(new ApiError("api_error", "Cannot run a subagent over MCP")),
      });
      return await toolbox.run({ id: String(call.id), name, input }, context);
    } finally {
      onSlotDone(() => admission.release());
    }
  } finally {
    open.end();
  }
}

/** The conversation of all clients of a key that name no session. */
const NO_SESSION = "mcp";

/** Stands for the client's message. Its model searches the web if the upstream of the small model cannot. */
const MODEL_REQUEST = { model: "big", max_tokens: 1, messages: [] };

async function admit(
  { limits }: GatewayContext,
  caller: RunCallOptions["caller"],
): Promise<Admission | ApiError> {
  try {
    return await limits.admit(caller);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

function toErrorResult(text: string): ToolResult {
  return { content: [{ type: "text", text }], isError: true };
}
