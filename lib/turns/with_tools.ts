import { collectMessage } from "../anthropic/collect.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { type AskOptions, createAsk } from "./ask.ts";
import type { Ask } from "../anthropic/ask.ts";
import type { MessageContext } from "./context.ts";
import { runTurns } from "../server_tools/loop.ts";
import type { ToolHeaders } from "../server_tools/assign.ts";
import { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { startMessage } from "./message_start.ts";
import { findRoute } from "../upstreams/find_route.ts";
import { createToolContext } from "./tool_context.ts";
import { upstreamTools } from "./upstream_tools.ts";

/** What tools are run for. */
export interface WithToolsOptions extends Omit<AskOptions, "route"> {
  /** What the client has asked. */
  message: MessagesRequest;
  requestId: string;
  toolHeaders: ToolHeaders;
}

/**
 * Lets the gateway run its own tools between the turns of a route; where there are none to run, one turn is all.
 *
 * Later turns go to the same upstream, once: what a tool has done is not undone by asking again.
 */
export function withTools(context: MessageContext, options: WithToolsOptions): (route: Route) => Ask {
  // What the gateway asks on its own is none of the requests that the client wants a beta for.
  const baseOptions = { ...options, caller: { ...options.caller, betas: undefined } };
  return (route) =>
    runTurns(
      ({ loss, first }) => createAsk(context, { ...options, ...(!first && { retries: 0 }), loss, route }),
      {
        ...options,
        upstream: upstreamTools(route),
        loadToolbox: context.loadToolbox,
        maxTurns: context.config.toolTurns,
        now: () => context.clock.now(),
        startMessage: (request) => startMessage(request, route, context),
        createToolContext: (tools) =>
          createToolContext(context, {
            ...baseOptions,
            tools,
            async runSubagent(message, { tools, signal }) {
              const nestedOptions = {
                ...baseOptions,
                message,
                signal,
                toolHeaders: { tools, intercept: false },
                loss: new LossReport(),
              };
              const nestedRoute = await findRoute(context, message.model, options.caller);
              return await collectMessage(withTools(context, nestedOptions)(nestedRoute)(message));
            },
          }),
      },
    );
}
