import { collectMessage } from "../../anthropic/collect.ts";
import type { MessagesRequest } from "../../anthropic/schema.ts";
import { type Steps, unrecordedSteps } from "../../anthropic/steps.ts";
import { withAdjustments } from "../adjust.ts";
import { type AskOptions, createAsk } from "../ask.ts";
import type { Ask } from "../../anthropic/ask.ts";
import type { MessageContext } from "../context.ts";
import { runTurns, type ToolTurnOptions } from "../../server_tools/loop.ts";
import type { ToolHeaders } from "../../server_tools/assign.ts";
import { LossReport } from "../../dialects/loss.ts";
import type { Route } from "../../upstreams/upstream.ts";
import { startMessage } from "../message_start.ts";
import { findRoute } from "../../upstreams/find_route.ts";
import type { McpSession } from "./mcp_session.ts";
import { createToolContext } from "./tool_context.ts";
import { upstreamTools } from "./upstream_tools.ts";

/** Options of {@linkcode withTools}. */
export interface WithToolsOptions extends AskOptions {
  /** The client's request. */
  message: MessagesRequest;
  /** Maximum number of retries of the first turn, before its answer starts. */
  retries: number;
  requestId: string;
  toolHeaders: ToolHeaders;
  /** The MCP servers of the message. */
  mcp: McpSession;
  /** Records the turns and the runs of tools. Default: nothing is recorded. */
  steps?: Steps | undefined;
}

/**
 * Runs the gateway's tools between the turns of a route. Without calls of such tools, there is one turn.
 *
 * Later turns go to the same upstream and are neither retried nor adjusted: that does not undo the effects of a tool.
 */
export function withTools(
  context: MessageContext,
  options: WithToolsOptions,
  loss: LossReport,
): (route: Route) => Ask {
  return (route) =>
    runTurns(
      ({ loss, first }) => {
        if (!first) return createAsk(context, options, { route, loss, retries: 0 });
        const { retries } = options;
        const askForRoute = (route: Route) => createAsk(context, options, { route, loss, retries });
        return withAdjustments(context, askForRoute, route, options);
      },
      {
        loss,
        upstream: upstreamTools(route),
        toolHeaders: options.toolHeaders,
        loadToolbox: context.loadToolbox,
        openMcpServers: (request, upstream) => options.mcp.open(request, upstream),
        toToolOptions: () => toToolOptions(context, options, route),
      },
    );
}

function toToolOptions(context: MessageContext, options: WithToolsOptions, route: Route): ToolTurnOptions {
  const { caller, signal, steps = unrecordedSteps } = options;
  const baseOptions = {
    ...options,
    steps: undefined,
    onHeaders: undefined,
    // The client's headers of Anthropic's API apply to its own request, not to those of the gateway's tools.
    caller: { ...caller, betas: undefined, userProfileId: undefined, workspaceId: undefined },
  };
  return {
    signal,
    steps,
    listsMcpTools: LISTING_BETA.test(caller.betas ?? ""),
    loadCallRunner: context.loadCallRunner,
    searchMaxUses: context.config.webSearchMaxUses,
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
          };
          const nestedRoute = await findRoute(context, message.model, caller);
          const ask = withTools(context, nestedOptions, new LossReport())(nestedRoute);
          return await collectMessage(ask(message));
        },
      }),
  };
}

/**
 * Betas in which an answer lists the tools of the MCP servers. Source: npm @anthropic-ai/sdk, `BetaMCPToolListingBlock`
 */
const LISTING_BETA = /(?:^|[,\s])mcp-client-2026-09-15(?:$|[,\s])/;
