/**
 * Share of `max_tokens` that OpenRouter uses as the thinking budget of an effort.
 *
 * Source: https://openrouter.ai/docs/use-cases/reasoning-tokens
 */
export const EFFORT_SHARES: readonly [effort: string, share: number][] = [
  ["minimal", 0.1],
  ["low", 0.2],
  ["medium", 0.5],
  ["high", 0.8],
  ["xhigh", 0.95],
];
