import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type Effort, EFFORTS, nearestEffort } from "../../request/efforts.ts";
import { cannotThink, dropThinking, planThinking } from "../../request/thinking_plan.ts";
import type { ResponsesContext } from "../responses.ts";

/** How the model reasons on a request. */
export interface ReasoningPlan {
  /** Fields of the request. */
  fields: JsonObject;
  /** True if the model certainly reasons. Then OpenAI rejects sampling parameters. */
  reasons: boolean;
}

/**
 * Translates thinking and effort.
 *
 * The model gets the requested effort, or the nearest one that its family accepts. If the client disables thinking and
 * the model cannot do without, it gets the least. A summary is requested for clients that display thinking, and the
 * encrypted reasoning for the next turn.
 */
export function toReasoning(request: MessagesRequest, context: ResponsesContext): ReasoningPlan {
  const { family, features, facts, loss } = context;
  if (family === undefined ? cannotThink(facts) : family.efforts.length === 0) {
    dropThinking(request, { never: true, loss });
    return { fields: {}, reasons: false };
  }
  const reasoning = toReasoningField(request, context);
  const level = reasoning.effort ?? family?.defaultEffort;
  const showsThinking = level !== "none" && displaysThinking(request);
  const field = { ...reasoning, ...(showsThinking && { summary: "auto" }) };
  return {
    fields: {
      ...(Object.keys(field).length > 0 && { reasoning: field }),
      ...(features.encryptsReasoning && { include: ["reasoning.encrypted_content"] }),
    },
    reasons: family !== undefined && level !== "none",
  };
}

function displaysThinking({ thinking }: MessagesRequest): boolean {
  switch (thinking?.type) {
    case "enabled":
    case "adaptive":
    case "between_tools":
      return thinking.display !== "omitted";
    default:
      return false;
  }
}

function toReasoningField(request: MessagesRequest, context: ResponsesContext): JsonObject {
  const { family, features, facts, loss } = context;
  const takesBudget = features.thinkingBudget && facts.reasoning?.budget !== false;
  const plan = planThinking(request, { takesBudget, loss });
  switch (plan.kind) {
    case "budget":
      return { max_tokens: plan.tokens };
    case "effort":
      return toEffort(plan.effort, context);
    case "off":
      return toLeastEffort(context);
    case "on":
      // Some models reason only if the request has an effort.
      return family?.defaultEffort === "none" ? { effort: "medium" } : {};
    case "default":
      return {};
  }
}

/** Returns the effort, or the nearest one that the model accepts. Effort `none` is sent only if it is requested. */
function toEffort({ effort: requested, path }: Effort, context: ResponsesContext): JsonObject {
  const supported = supportedEfforts(context).filter((effort) => effort !== "none" || requested === "none");
  const effort = nearestEffort(requested, supported) ?? requested;
  if (effort !== requested) context.loss.add(path, "approximated");
  return { effort };
}

/** Returns the effort that disables thinking, or the least one of a model that cannot do without. */
function toLeastEffort(context: ResponsesContext): JsonObject {
  const { family, facts: { reasoning }, loss } = context;
  if (family === undefined && reasoning === undefined) {
    // An unknown model may not reason at all, and may reject any effort.
    loss.add("thinking", "dropped");
    return {};
  }
  const supported = supportedEfforts(context);
  if (supported.includes("none") && !reasoning?.mandatory) return { effort: "none" };
  loss.add("thinking", "approximated");
  return { effort: EFFORTS.find((effort) => effort !== "none" && supported.includes(effort)) ?? "low" };
}

function supportedEfforts({ family, features, facts }: ResponsesContext): readonly string[] {
  const listed = facts.reasoning?.efforts?.filter((effort) => EFFORTS.includes(effort)) ?? [];
  return family?.efforts ?? (listed.length > 0 ? listed : features.efforts);
}
