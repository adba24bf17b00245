import { collectMessage } from "../anthropic/collect.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { type Ask, type AskOptions, createAsk } from "./ask.ts";
import type { Gateway } from "./context.ts";
import { runTurns } from "../server_tools/loop.ts";
import type { Wishes } from "../server/tool_headers.ts";
import { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/resolve.ts";
import { openMessage } from "./message_start.ts";
import { findRoute } from "../upstreams/find_route.ts";
import { createScene } from "./tool_context.ts";

/** What tools are run for. */
export interface ToolOptions extends Omit<AskOptions, "route"> {
  /** What the client has asked. */
  message: MessagesRequest;
  requestId: string;
  wishes: Wishes;
}

/**
 * Lets the gateway run its own tools between the turns of a route; where there are none to run, one turn is all.
 *
 * Later turns go to the same upstream, once: what a tool has done is not undone by asking again.
 */
export function withTools(gateway: Gateway, options: ToolOptions): (route: Route) => Ask {
  // What the gateway asks on its own is none of the requests that the client wants a beta for.
  const own = { ...options, caller: { ...options.caller, betas: undefined } };
  return (route) =>
    runTurns(
      ({ loss, first }) => createAsk(gateway, { ...options, ...(!first && { repeats: 0 }), loss, route }),
      {
        ...options,
        route,
        toolbox: gateway.toolbox,
        maxTurns: gateway.config.toolTurns,
        now: () => gateway.clock.now(),
        open: (request) => openMessage(request, route, gateway),
        toScene: (tools) =>
          createScene(gateway, {
            ...own,
            tools,
            async converse(message, { tools, signal }) {
              const inner = {
                ...own,
                message,
                signal,
                wishes: { tools, intercept: false },
                loss: new LossReport(),
              };
              const asked = await findRoute(gateway, message.model, options.caller);
              return await collectMessage(withTools(gateway, inner)(asked)(message));
            },
          }),
      },
    );
}
