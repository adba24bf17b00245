import { EFFORT_SHARES, type ModelFacts } from "../dialects/mod.ts";
import { isObject, type JsonObject } from "../base/json.ts";

/** Effort of models whose request names none. Source: https://openrouter.ai/docs/use-cases/reasoning-tokens */
const DEFAULT_EFFORT = "medium";

/** Options of {@linkcode requestedThinking}. */
export interface ThinkingLimits {
  /** Maximum output tokens of the request; thinking is part of them. */
  maxTokens: number;
  facts: ModelFacts;
}

/**
 * Returns the tokens of thinking that a request to an upstream allows: its budget, or the share of its effort. A
 * request without either counts as one of medium effort if it enables thinking or the model always thinks.
 *
 * @example Usage
 * ```ts
 * import { requestedThinking } from "./requested_thinking.ts";
 *
 * const limits = { maxTokens: 10_000, facts: {} };
 * const budget = requestedThinking({ thinking: { type: "enabled", budget_tokens: 4000 } }, limits);
 * const share = requestedThinking({ reasoning: { effort: "high" } }, limits);
 * if (budget !== 4000 || share !== 8000) throw new Error(`${budget} ${share}`);
 * ```
 */
export function requestedThinking(body: JsonObject, { maxTokens, facts }: ThinkingLimits): number {
  const limit = Math.min(maxTokens, facts.maxOutput ?? maxTokens);
  const thinking = isObject(body.thinking) ? body.thinking : {};
  const reasoning = isObject(body.reasoning) ? body.reasoning : {};
  const output = isObject(body.output_config) ? body.output_config : {};
  const budget = [thinking.budget_tokens, reasoning.max_tokens].find((value) => typeof value === "number");
  if (typeof budget === "number" && budget >= 0) return Math.min(budget, limit);
  if (thinking.type === "disabled" || reasoning.enabled === false) return 0;
  const thinks = thinking.type !== undefined || reasoning.enabled === true ||
    facts.reasoning?.mandatory === true;
  // Anthropic's effort alone does not enable thinking.
  const effort = [reasoning.effort, body.reasoning_effort, thinks ? output.effort : undefined]
    .find((value) => typeof value === "string") ?? (thinks ? DEFAULT_EFFORT : "none");
  return Math.floor(limit * shareOf(effort));
}

/** Share of an effort; unknown ones are above those of the table. */
function shareOf(effort: unknown): number {
  if (effort === "none") return 0;
  return new Map(EFFORT_SHARES).get(String(effort)) ?? MAX_SHARE;
}

const MAX_SHARE = 0.95;
