import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { TurnContext } from "../../dialect.ts";

/**
 * Says how many tokens the answer may have: as many as the client wants, the model can give and its window leaves.
 *
 * Where the window leaves next to nothing, the upstream is asked all the same: it counts better, and its refusal makes
 * the client compact the conversation, which an answer of a few words would not.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../../loss.ts";
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
  // None at all, which warms the cache of Anthropic's API, is no number that other hosts take.
  const clamped = Math.max(1, Math.min(max_tokens, limit));
  if (clamped !== max_tokens) loss.add("max_tokens", "approximated");
  return clamped;
}

/** The input is an estimate, and the upstream may have words of its own. */
const ESTIMATE_FACTOR = 1.1;
const RESERVED_TOKENS = 256;
const MIN_REMAINING_TOKENS = 1024;
