import type { Caller } from "../access/caller.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import type { JsonObject } from "../base/json.ts";
import { once } from "../base/once.ts";
import { findChange } from "../dialects/adjustments/adjustment.ts";
import type { LossReport } from "../dialects/loss.ts";
import { type AnswerReader, knownAdjustments, runsServerTool, type TurnContext } from "../dialects/mod.ts";
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
  /** True if the input tokens are to be counted: the body is that of the endpoint for it. */
  counts?: boolean;
}

/**
 * Translates a request for the upstream of a route: with well-formed texts, and adjusted to the limits of the model
 * that are known beforehand or were learned from refusals.
 */
export async function prepareTurn(
  context: Pick<MessageContext, "config" | "inputCounter" | "learned" | "newId">,
  original: MessagesRequest,
  { route, caller, loss: report, restoresNulls, counts = false }: PrepareOptions,
): Promise<PreparedTurn> {
  const { dialect, model, upstream } = route;
  const { toBody, createReader, toCountBody = toBody } = await dialect.load();
  const adjustments = [
    ...knownAdjustments({ host: upstream.preset, dialect: dialect.name, model }),
    ...context.learned.get(route),
    ...(route.adjustments ?? []),
  ];
  const unadjusted = { request: toWellFormed(original, report), loss: report };
  // Most requests need no adjustment.
  const adjusters = adjustments.length === 0 ? undefined : await loadAdjusters();
  const { request, loss } = adjusters?.adjustRequest(unadjusted.request, adjustments, report) ?? unadjusted;
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
  const reader = createReader(request, turn);
  const translated = (counts ? toCountBody : toBody)(request, turn);
  const body = adjusters?.adjustBody(translated, adjustments, { request, loss }) ?? translated;
  // Betas change Anthropic's format. They have no meaning in other dialects.
  const sendsBetas = dialect.name === "anthropic" && findChange(adjustments, "drop_betas") === undefined;
  const betas = runsServerTool(upstream.preset, dialect, "mcp_toolset")
    ? caller.betas
    : withoutMcpBetas(caller.betas);
  if (betas !== undefined && !sendsBetas) report.add("header.anthropic-beta", "dropped");
  return { body, reader, inputTokens, betas: sendsBetas ? betas : undefined };
}

const loadAdjusters = once(async () => {
  const [{ adjustRequest }, { adjustBody }] = await Promise.all([
    import("../dialects/adjustments/adjust_request.ts"),
    import("../dialects/adjustments/adjust_body.ts"),
  ]);
  return { adjustRequest, adjustBody };
});

/** Removes the betas of MCP servers, to which the gateway connects itself. Some hosts reject them. */
function withoutMcpBetas(betas: string | undefined): string | undefined {
  if (betas === undefined || !betas.includes("mcp-client-")) return betas;
  const kept = betas.split(",").map((beta) => beta.trim()).filter((beta) => !beta.startsWith("mcp-client-"));
  return kept.length === 0 ? undefined : kept.join(",");
}
