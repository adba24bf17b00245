import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { type Effort, EFFORTS, nearestEffort } from "../../request/efforts.ts";
import { cannotThink, dropThinking, planThinking } from "../../request/thinking_plan.ts";
import type { ChatContext } from "../chat.ts";

/** Smallest thinking budget. */
const MIN_BUDGET_TOKENS = 1024;

/**
 * Returns the thinking fields of the request, in the form that host and model accept.
 *
 * A budget takes precedence over an effort, because hosts accept only one of them. If the host or the model accepts no
 * budget, the effort is sent, by default the one nearest to the budget. If the client disables thinking and the model
 * cannot do without, the least effort is sent.
 */
export function toReasoning(request: MessagesRequest, context: ChatContext): JsonObject {
  const { features, facts, loss } = context;
  if (features.thinking === "none" || cannotThink(facts)) {
    // Any other model may think all the same.
    dropThinking(request, { never: cannotThink(facts), loss });
    return {};
  }
  const usesReasoningField = features.thinking === "reasoning";
  const takesBudget = usesReasoningField && facts.reasoning?.budget !== false;
  const plan = planThinking(request, { takesBudget, loss });
  switch (plan.kind) {
    case "budget":
      return { reasoning: { max_tokens: clampBudget(plan.tokens, request, context) } };
    case "effort":
      return effortFields(plan.effort, context);
    case "off":
      return noThinkingFields(context);
    case "on":
      if (features.thinking === "switch") return { thinking: { type: "enabled" } };
      if (!usesReasoningField) loss.add("thinking", "dropped");
      return usesReasoningField ? { reasoning: { enabled: true } } : {};
    case "default":
      return {};
  }
}

/** Returns the fields for an effort, or for the nearest one that the model accepts. */
function effortFields({ effort: requested, path }: Effort, context: ChatContext): JsonObject {
  const { features, facts, loss } = context;
  const hostEfforts = features.thinking === "reasoning" ? EFFORTS : features.efforts;
  const listed = facts.reasoning?.efforts?.filter((effort) => EFFORTS.includes(effort)) ?? [];
  const supported = (listed.length > 0 ? listed : hostEfforts).filter((effort) =>
    effort !== "none" || (requested === "none" && !facts.reasoning?.mandatory)
  );
  const effort = nearestEffort(requested, supported) ?? requested;
  if (effort !== requested) loss.add(path, "approximated");
  if (features.thinking === "reasoning") return { reasoning: { effort } };
  return {
    ...(features.thinking === "switch" && { thinking: { type: "enabled" } }),
    reasoning_effort: effort,
  };
}

/** Returns the fields that disable thinking, or that reduce it to the minimum of the model. */
function noThinkingFields(context: ChatContext): JsonObject {
  const { features, facts: { reasoning }, loss } = context;
  const listed = reasoning?.efforts?.includes("none");
  if (reasoning?.mandatory || (features.thinking === "reasoning_effort" && reasoning && !listed)) {
    loss.add("thinking", "approximated");
    const least = EFFORTS.find((effort) => effort !== "none" && reasoning.efforts?.includes(effort)) ?? "low";
    return effortFields({ effort: least, path: "thinking" }, context);
  }
  if (features.thinking === "reasoning") return { reasoning: { enabled: false } };
  if (features.thinking === "switch") return { thinking: { type: "disabled" } };
  if (listed) return { reasoning_effort: "none" };
  // A model without known facts may not think at all, and may reject any thinking field.
  loss.add("thinking", "dropped");
  return {};
}

/** Raises a budget to the minimum, or reduces one that would leave no tokens for the answer. */
function clampBudget(budget: number, { max_tokens }: MessagesRequest, { facts, loss }: ChatContext): number {
  const limit = Math.min(max_tokens, facts.maxOutput ?? max_tokens);
  const fitting = Math.max(MIN_BUDGET_TOKENS, budget < limit ? budget : Math.floor(limit * 0.8));
  if (fitting !== budget) loss.add("thinking.budget_tokens", "approximated");
  return fitting;
}
