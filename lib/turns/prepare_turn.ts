import type { Caller } from "../access/caller.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import type { JsonObject } from "../base/json.ts";
import { adjustBody } from "../dialects/adjustments/adjust_body.ts";
import { adjustRequest } from "../dialects/adjustments/adjust_request.ts";
import { findChange } from "../dialects/adjustments/adjustment.ts";
import type { LossReport } from "../dialects/loss.ts";
import {
  type AnswerReader,
  type Dialect,
  knownAdjustments,
  runsServerTool,
  type TurnContext,
} from "../dialects/mod.ts";
import { toWellFormed } from "../dialects/request/well_formed.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";
import type { Route } from "../upstreams/upstream.ts";
import type { MessageContext } from "./context.ts";

/** A turn that can be sent to an upstream. */
export interface PreparedTurn {
  /** Body in the upstream's format, without the options of the route. */
  body: JsonObject;
  reader: AnswerReader;
  /** Estimated input tokens of the client's request. */
  inputTokens: number;
  /** Betas of Anthropic's API that are sent. */
  betas: string | undefined;
}

/** Options of {@linkcode prepareTurn}. */
export interface PrepareOptions {
  route: Route;
  caller: Pick<Caller, "betas" | "sessionId">;
  loss: LossReport;
  /** True if `null` in the place of optional properties is removed from an answer with an output schema. */
  restoresNulls?: boolean | undefined;
  /** Converts the request to the body; by default that of a message. */
  toBody?: Dialect["toBody"];
}

/**
 * Translates a request for the upstream of a route: with well-formed texts, and adjusted to the limits of the model that
 * are known beforehand or were learned from refusals.
 */
export function prepareTurn(
  context: Pick<MessageContext, "config" | "inputCounter" | "learned" | "newId">,
  original: MessagesRequest,
  { route, caller, loss: report, restoresNulls, toBody = route.dialect.toBody }: PrepareOptions,
): PreparedTurn {
  const { dialect, model, upstream } = route;
  const adjustments = [
    ...knownAdjustments({ host: upstream.preset, dialect: dialect.name, model }),
    ...context.learned.get(route),
    ...(route.adjustments ?? []),
  ];
  const { request, loss } = adjustRequest(toWellFormed(original, report), adjustments, report);
  const inputTokens = context.inputCounter.estimate(original, route);
  const turn: TurnContext = {
    model,
    origin: toRouteLabel(route),
    // A plain text cannot be marked for the cache.
    cacheControl: route.cacheControl && findChange(adjustments, "drop_cache_control") === undefined &&
      findChange(adjustments, "plain_text") === undefined,
    dropThinking: findChange(adjustments, "drop_earlier_thinking") !== undefined ||
      findChange(adjustments, "drop_reasoning_fields") !== undefined,
    adjustments,
    alias: route.alias,
    facts: route.facts,
    sessionId: caller.sessionId,
    inputTokens,
    coerceToolInput: context.config.coerceToolInput === "on",
    toolCallsInText: context.config.toolCallsInText,
    restoresNulls,
    newId: context.newId,
    loss,
  };
  const reader = dialect.createReader(request, turn);
  const body = adjustBody(toBody(request, turn), adjustments, { request, loss });
  // Betas change Anthropic's format. They have no meaning in other dialects.
  const sendsBetas = dialect.name === "anthropic" && findChange(adjustments, "drop_betas") === undefined;
  const betas = runsServerTool(upstream.preset, dialect, "mcp_toolset")
    ? caller.betas
    : withoutMcpBetas(caller.betas);
  if (betas !== undefined && !sendsBetas) report.add("header.anthropic-beta", "dropped");
  return { body, reader, inputTokens, betas: sendsBetas ? betas : undefined };
}

/** Removes the betas of MCP servers, to which the gateway connects itself. Some hosts reject them. */
function withoutMcpBetas(betas: string | undefined): string | undefined {
  if (betas === undefined || !betas.includes("mcp-client-")) return betas;
  const kept = betas.split(",").map((beta) => beta.trim()).filter((beta) => !beta.startsWith("mcp-client-"));
  return kept.length === 0 ? undefined : kept.join(",");
}
