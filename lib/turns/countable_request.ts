import type { Caller } from "../access/caller.ts";
import { emptyClearedMessages } from "../anthropic/cleared_messages.ts";
import { parseMessagesRequest } from "../anthropic/parse.ts";
import { applyToolChanges } from "../anthropic/tool_changes.ts";
import type { CountTokensRequest } from "../anthropic/schema.ts";
import type { MessageContext } from "./context.ts";
import { withoutMcpServers } from "../server_tools/loop.ts";
import { planTurns } from "../server_tools/plan.ts";
import { assignTools, isPassThrough, type ToolHeaders } from "../server_tools/assign.ts";
import { LossReport } from "../dialects/loss.ts";
import type { McpSession } from "./gateway_tools/mcp_session.ts";
import { upstreamTools } from "./gateway_tools/upstream_tools.ts";
import type { Route } from "../upstreams/upstream.ts";

/**
 * Converts a request to what its model would receive: with the definitions of the gateway's tools, and with the history
 * rewritten for the model.
 *
 * @throws {ApiError} `invalid_request_error` if a message with these tools would be rejected.
 */
export async function toCountableRequest(
  countRequest: CountTokensRequest,
  { context, toolHeaders, route, caller, mcp }: {
    context: MessageContext;
    toolHeaders: ToolHeaders;
    route: Route;
    caller: Caller;
    mcp: McpSession;
  },
): Promise<CountTokensRequest> {
  const original = parseMessagesRequest({ ...countRequest, max_tokens: 1 });
  const upstream = upstreamTools(route);
  const applied = applyToolChanges(original)?.request ?? original;
  const mcpServers = await mcp.open(applied, upstream);
  const request = upstream.connectsMcp ? applied : withoutMcpServers(applied);
  const { client } = caller;
  const { signal } = new AbortController();
  const assignments = assignTools(request, {
    toolHeaders,
    upstream,
    mcpServers,
    loss: new LossReport(),
    toolbox: await context.loadToolbox?.(),
    loadCallRunner: context.loadCallRunner,
    searchMaxUses: context.config.webSearchMaxUses,
    toolContext: { client, conversation: "", requestId: "", signal, models: NO_MODELS },
    now: () => context.clock.now(),
  });
  const passThrough = isPassThrough(request, assignments);
  if (passThrough && request === applied && upstream.takesToolChanges) return countRequest;
  const seen = passThrough ? request : planTurns(request, assignments).toTurn([], new Map()).request;
  return upstream.takesToolChanges ? seen : emptyClearedMessages(seen);
}

/** Counting never runs a tool. */
const NO_MODELS = { complete: rejectCall, runSubagent: rejectCall, search: rejectCall };

function rejectCall(): Promise<never> {
  return Promise.reject(new TypeError("Cannot call a model: token counting runs no tools"));
}
