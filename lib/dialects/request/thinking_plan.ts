import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { ModelFacts } from "../dialect.ts";
import type { LossReport } from "../loss.ts";
import { type Effort, effortOfBudget, requestedEffort } from "./efforts.ts";

/**
 * What a request asks of the model's thinking: a budget, an effort, thinking without a measure (`on`), none (`off`), or
 * nothing, so that the model's default applies.
 */
export type ThinkingPlan =
  | { kind: "budget"; tokens: number }
  | { kind: "effort"; effort: Effort }
  | { kind: "on" | "off" | "default" };

/** Options of {@linkcode planThinking}. */
export interface ThinkingPlanOptions {
  /** True if host and model accept a budget. Else the nearest effort replaces it. */
  takesBudget: boolean;
  loss: LossReport;
}

/**
 * Reads `thinking` and the effort of a request, for hosts that accept only one of both.
 *
 * A budget takes precedence over an effort if the host accepts it. What is not sent is reported.
 */
export function planThinking(
  request: MessagesRequest,
  { takesBudget, loss }: ThinkingPlanOptions,
): ThinkingPlan {
  const { thinking } = request;
  const effort = requestedEffort(request, loss);
  const asEffort: ThinkingPlan | undefined = effort && { kind: "effort", effort };
  switch (thinking?.type) {
    case "enabled": {
      const { budget_tokens: tokens } = thinking;
      if (takesBudget) {
        if (effort) loss.add(effort.path, "dropped");
        return { kind: "budget", tokens };
      }
      const path = "thinking.budget_tokens";
      loss.add(path, "approximated");
      const nearest = { effort: effortOfBudget(tokens, request.max_tokens), path };
      return asEffort ?? { kind: "effort", effort: nearest };
    }
    case "disabled":
      if (effort) loss.add(effort.path, "dropped");
      return { kind: "off" };
    case "between_tools":
      loss.add("thinking", "approximated");
      break;
    case "adaptive":
    case undefined:
      break;
    default:
      loss.add("thinking", "dropped");
      return asEffort ?? { kind: "default" };
  }
  return asEffort ?? { kind: thinking ? "on" : "default" };
}

/** Reports thinking and effort as dropped. Disabled thinking is no loss if the model is known not to think. */
export function dropThinking(
  request: MessagesRequest,
  { never, loss }: { never: boolean; loss: LossReport },
): void {
  const { thinking } = request;
  if (thinking && !(thinking.type === "disabled" && never)) loss.add("thinking", "dropped");
  const effort = requestedEffort(request, loss);
  if (effort) loss.add(effort.path, "dropped");
}

/** True if a model is known not to think. */
export function cannotThink({ parameters, reasoning }: ModelFacts): boolean {
  return reasoning === undefined && parameters !== undefined && !parameters.has("reasoning") &&
    !parameters.has("reasoning_effort");
}
