import type { UsageReport } from "../../../anthropic/events.ts";
import type { ChatUsage } from "./chunk.ts";

/** What a host of chat completions counted, in Anthropic's sense. */
export interface ChatCounts {
  report: UsageReport;
  /** All tokens of the request, those of the cache included; missing where nobody counted just them. */
  input: number | undefined;
  /** All tokens of the answer, those of its thinking included; missing where nobody counted them. */
  output: number | undefined;
}

/**
 * Says a host's counts as Anthropic's API does: input apart from what its cache was read for and written, output with
 * the thinking in it.
 *
 * @example Usage
 * ```ts
 * import { toCounts } from "./usage.ts";
 *
 * const counts = toCounts({ prompt_tokens: 100, prompt_tokens_details: { cached_tokens: 80 }, completion_tokens: 7 });
 * if (counts.report.input_tokens !== 20 || counts.input !== 100) throw new Error("cached tokens are counted twice");
 * ```
 */
export function toCounts(usage: ChatUsage): ChatCounts {
  const details = usage.prompt_tokens_details;
  // The second is DeepSeek's, the third Moonshot's, the others are those of gateways in front of Claude.
  const cacheRead = firstCount(
    details?.cached_tokens,
    usage.prompt_cache_hit_tokens,
    usage.cached_tokens,
    usage.cache_read_input_tokens,
  );
  const cacheWritten = firstCount(details?.cache_write_tokens, usage.cache_creation_input_tokens);
  const promptTokens = parseCount(usage.prompt_tokens);
  const prompt = promptTokens ?? 0;
  const thinking = firstCount(usage.completion_tokens_details?.reasoning_tokens);
  const output = outputTokensOf(usage, thinking);
  const searches = firstCount(
    (usage.server_tool_use_details ?? usage.server_tool_use)?.web_search_requests,
  );
  // OpenAI's prompt tokens include the cached ones; those of Grok on Azure do not, and so may be fewer.
  const apart = prompt < cacheRead + cacheWritten;
  return {
    report: {
      cache_read_input_tokens: cacheRead,
      cache_creation_input_tokens: cacheWritten,
      ...(promptTokens !== undefined && { input_tokens: apart ? prompt : prompt - cacheRead - cacheWritten }),
      ...(output !== undefined && { output_tokens: output }),
      ...(thinking > 0 && { output_tokens_details: { thinking_tokens: thinking } }),
      ...(searches > 0 && { server_tool_use: { web_search_requests: searches } }),
    },
    // What was searched for on the way is counted in.
    input: prompt > 0 && searches === 0 ? (apart ? prompt + cacheRead + cacheWritten : prompt) : undefined,
    output,
  };
}

/** xAI and Gemini count the thinking apart from the completion, which shows in the total. */
function outputTokensOf({ prompt_tokens, completion_tokens, total_tokens }: ChatUsage, thinking: number) {
  const completion = parseCount(completion_tokens);
  if (completion === undefined) return undefined;
  const apart = thinking > 0 && total_tokens === (parseCount(prompt_tokens) ?? 0) + completion + thinking;
  return apart ? completion + thinking : completion;
}

/** The first of several fields that counts anything, or 0. */
function firstCount(...values: unknown[]): number {
  return values.map(parseCount).find(Boolean) ?? 0;
}

/** A number of tokens; what is none says nothing, and fails no answer. */
function parseCount(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value < Infinity ? Math.round(value) : undefined;
}
