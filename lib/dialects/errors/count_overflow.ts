import { UpstreamError } from "./upstream_error.ts";

/** Token counts that the gateway has of a request. */
export interface OverflowCounts {
  /** Input tokens, counted by the gateway. */
  inputTokens: number;
  /** Context window of the model in tokens; `undefined` if it is unknown. */
  contextLength: number | undefined;
}

/**
 * Adds token counts to the error of a context overflow whose upstream did not say them: clients read them to decide how
 * much of a conversation they compact. The upstream's words move to `details`. Any other error is returned as it is.
 *
 * The count of the input is an estimate, so it is raised above a known maximum. For an unknown maximum, the message has
 * the largest one that the refusal allows: one token less than the request.
 *
 * @example Usage
 * ```ts
 * import { countOverflow } from "./count_overflow.ts";
 * import { toUpstreamError } from "./upstream_error.ts";
 *
 * const refused = toUpstreamError({ status: 500, body: { error: "Context size has been exceeded." } });
 * const counted = countOverflow(refused, () => ({ inputTokens: 9000, contextLength: 8192 }));
 * const message = counted instanceof Error ? counted.message : "";
 * if (message !== "prompt is too long: 9000 tokens > 8192 maximum") throw new Error(message);
 * ```
 */
export function countOverflow(error: unknown, count: () => OverflowCounts): unknown {
  if (!(error instanceof UpstreamError) || error.uncounted === undefined) return error;
  const { limit, excess } = error.uncounted;
  const { inputTokens, contextLength } = count();
  const { tokens, maximum } = toCounts({ maximum: limit ?? contextLength, excess, inputTokens });
  return new UpstreamError(error.type, `prompt is too long: ${tokens} tokens > ${maximum} maximum`, {
    details: { ...error.details, upstream_message: error.message.replace(/^prompt is too long:? ?/i, "") },
    cause: error,
  });
}

function toCounts(
  { maximum, excess = 1, inputTokens }: {
    maximum: number | undefined;
    excess: number | undefined;
    inputTokens: number;
  },
): { tokens: number; maximum: number } {
  if (maximum !== undefined) return { tokens: Math.max(inputTokens, maximum + excess), maximum };
  const tokens = Math.max(inputTokens, excess + 1);
  return { tokens, maximum: tokens - excess };
}
