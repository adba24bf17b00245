import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";

/** Efforts of all hosts, ascending. Source: https://openrouter.ai/docs/use-cases/reasoning-tokens */
export const EFFORTS: readonly string[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
/** Share of `max_tokens` that OpenRouter uses as the thinking budget of an effort. */
export const EFFORT_SHARES: readonly (readonly [effort: string, share: number])[] = [
  ["minimal", 0.1],
  ["low", 0.2],
  ["medium", 0.5],
  ["high", 0.8],
  ["xhigh", 0.95],
];

/** An effort, and the path of the request that asks for it. */
export interface Effort {
  effort: string;
  path: string;
}

/** Returns the last effort of the request if it is one of `EFFORTS`. Reports other and unknown efforts as dropped. */
export function requestedEffort(request: MessagesRequest, loss: LossReport): Effort | undefined {
  const given: Effort[] = [];
  const { effort } = request.output_config ?? {};
  if (effort !== null && effort !== undefined) given.push({ path: "output_config.effort", effort });
  request.messages.forEach(({ output_config }, at) => {
    const effort = output_config?.effort;
    if (effort !== null && effort !== undefined) {
      given.push({ path: `messages.${at}.output_config.effort`, effort });
    }
  });
  const last = given.at(-1);
  for (const { path, effort } of given) {
    if (effort !== last?.effort || !EFFORTS.includes(effort)) loss.add(path, "dropped");
  }
  return last && EFFORTS.includes(last.effort) ? last : undefined;
}

/** Returns the effort whose share of `max_tokens` is nearest to that of a thinking budget. */
export function effortOfBudget(budgetTokens: number, maxTokens: number): string {
  const requested = budgetTokens / Math.max(maxTokens, 1);
  const [nearest] = EFFORT_SHARES.toSorted(([, a], [, b]) =>
    Math.abs(a - requested) - Math.abs(b - requested)
  );
  return nearest?.[0] ?? "medium";
}

/** Returns the effort of a list that is nearest to the requested one; of two equally near efforts, the lower one. */
export function nearestEffort(requested: string, supported: readonly string[]): string | undefined {
  const rank = EFFORTS.indexOf(requested);
  const distance = (effort: string) => Math.abs(EFFORTS.indexOf(effort) - rank);
  // The sort is stable.
  const sorted = supported.toSorted((a, b) => EFFORTS.indexOf(a) - EFFORTS.indexOf(b));
  return sorted.toSorted((a, b) => distance(a) - distance(b))[0];
}
