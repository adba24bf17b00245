import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { TurnContext } from "../dialect.ts";

/**
 * Returns the token limit of the answer: the minimum of the client's limit, the model's limit and what is left of the
 * context window.
 *
 * If less than `MIN_REMAINING_TOKENS` are left, the window is not considered and the upstream decides. Its count is
 * exact, and its error makes the client compact the conversation. A very short answer would not.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { clampMaxTokens } from "./max_tokens.ts";
 *
 * const facts = { contextLength: 200_000, maxOutput: 64_000 };
 * const limit = clampMaxTokens({ max_tokens: 128_000 }, { facts, inputTokens: 5000, loss: new LossReport() });
 * if (limit !== 64_000) throw new Error(String(limit));
 * ```
 */
export function clampMaxTokens(
  { max_tokens }: Pick<MessagesRequest, "max_tokens">,
  { facts, inputTokens, loss }: Pick<TurnContext, "facts" | "inputTokens" | "loss">,
): number {
  const left = (facts.contextLength ?? Infinity) - Math.ceil(inputTokens * ESTIMATE_FACTOR) - RESERVED_TOKENS;
  const limit = Math.min(facts.maxOutput ?? Infinity, left >= MIN_REMAINING_TOKENS ? left : Infinity);
  // Other hosts reject 0, which Anthropic's API accepts to warm the cache.
  const clamped = Math.max(1, Math.min(max_tokens, limit));
  if (clamped !== max_tokens) loss.add("max_tokens", "approximated");
  return clamped;
}

/** `inputTokens` is an estimate, and the upstream may add text to the prompt. */
const ESTIMATE_FACTOR = 1.1;
const RESERVED_TOKENS = 256;
const MIN_REMAINING_TOKENS = 1024;
