import type { Caller } from "../access/caller.ts";
import { parseMessagesRequest } from "../anthropic/parse.ts";
import type { CountTokensRequest } from "../anthropic/schema.ts";
import type { MessageContext } from "./context.ts";
import { planTurns } from "../server_tools/plan.ts";
import { assignTools, isPassThrough, type ToolHeaders } from "../server_tools/assign.ts";
import { LossReport } from "../dialects/loss.ts";
import { upstreamTools } from "./upstream_tools.ts";
import type { Route } from "../upstreams/upstream.ts";

/**
 * Gives a request as its model would be asked it: with the gateway's tools in the place of what asks for them, and with
 * the conversation as it is retold then.
 *
 * @throws {ApiError} `invalid_request_error` where a message would be refused for its tools.
 */
export async function toCountableRequest(
  countRequest: CountTokensRequest,
  { context, toolHeaders, route, caller }: {
    context: MessageContext;
    toolHeaders: ToolHeaders;
    route: Route;
    caller: Caller;
  },
): Promise<CountTokensRequest> {
  const request = parseMessagesRequest({ ...countRequest, max_tokens: 1 });
  const { client } = caller;
  const { signal } = new AbortController();
  const assignments = assignTools(request, {
    toolHeaders,
    upstream: upstreamTools(route),
    loss: new LossReport(),
    toolbox: await context.loadToolbox?.(),
    toolContext: { client, conversation: "", requestId: "", signal, models: NO_MODELS },
    now: () => context.clock.now(),
  });
  if (isPassThrough(request, assignments)) return countRequest;
  return planTurns(request, assignments).toTurn([], new Map()).request;
}

/** Nothing is run for a count. */
const NO_MODELS = { complete: rejectCall, runSubagent: rejectCall, search: rejectCall };

function rejectCall(): Promise<never> {
  return Promise.reject(new TypeError("Nothing is run for a count of tokens"));
}
