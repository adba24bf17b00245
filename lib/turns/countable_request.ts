import type { Caller } from "../access/caller.ts";
import { parseMessagesRequest } from "../anthropic/parse.ts";
import type { CountTokensRequest } from "../anthropic/schema.ts";
import type { MessageContext } from "./context.ts";
import { planTurns } from "../server_tools/plan.ts";
import { isForeign, toSlots, type Wishes } from "../server_tools/assign.ts";
import { LossReport } from "../dialects/loss.ts";
import { upstreamTools } from "./upstream_tools.ts";
import type { Route } from "../upstreams/upstream.ts";

/**
 * Gives a request as its model would be asked it: with the gateway's tools in the place of what asks for them, and with
 * the conversation as it is retold then.
 *
 * @throws {ApiError} `invalid_request_error` where a message would be refused for its tools.
 */
export async function toOffered(
  counted: CountTokensRequest,
  { context, wishes, route, caller }: {
    context: MessageContext;
    wishes: Wishes;
    route: Route;
    caller: Caller;
  },
): Promise<CountTokensRequest> {
  const request = parseMessagesRequest({ ...counted, max_tokens: 1 });
  const { client } = caller;
  const { signal } = new AbortController();
  const slots = toSlots(request, {
    wishes,
    upstream: upstreamTools(route),
    loss: new LossReport(),
    toolbox: await context.toolbox?.(),
    scene: { client, conversation: "", requestId: "", signal, models: NO_MODELS },
    now: () => context.clock.now(),
  });
  if (isForeign(request, slots)) return counted;
  return planTurns(request, slots).toTurn([], new Map()).request;
}

/** Nothing is run for a count. */
const NO_MODELS = { complete: refuse, converse: refuse, search: refuse };

function refuse(): Promise<never> {
  return Promise.reject(new TypeError("Nothing is run for a count of tokens"));
}
