import type { UsageReport } from "../../../anthropic/events.ts";
import { isObject } from "../../../base/json.ts";
import type { ChatUsage } from "./chunk.ts";

/** Token counts of a host, with the meaning of Anthropic's fields. */
export interface ChatCounts {
  report: UsageReport;
  /** Input tokens including those of the cache. Undefined if not reported, or if they include search results. */
  input: number | undefined;
  /** Output tokens including those of thinking. Undefined if not reported. */
  output: number | undefined;
}

/**
 * Converts a host's usage to Anthropic's: input tokens without cached ones, output tokens with those of thinking.
 *
 * @example Usage
 * ```ts
 * import { toCounts } from "./usage.ts";
 *
 * const counts = toCounts({ prompt_tokens: 100, prompt_tokens_details: { cached_tokens: 80 }, completion_tokens: 7 });
 * if (counts.report.input_tokens !== 20 || counts.input !== 100) throw new Error("cached tokens were counted twice");
 * ```
 */
export function toCounts(usage: ChatUsage): ChatCounts {
  const details = usage.prompt_tokens_details;
  // OpenAI's field first, then those of DeepSeek, of Moonshot, of Mistral, and of gateways for Claude.
  const cacheRead = firstCount(
    details?.cached_tokens,
    usage.prompt_cache_hit_tokens,
    usage.cached_tokens,
    usage.num_cached_tokens,
    usage.cache_read_input_tokens,
  );
  const reportedWritten = firstCount(details?.cache_write_tokens, usage.cache_creation_input_tokens);
  const promptTokens = parseCount(usage.prompt_tokens);
  const prompt = promptTokens ?? 0;
  // OpenAI's prompt tokens include cached ones. Those of Grok on Azure do not, so they can be fewer.
  const apart = prompt < Math.max(cacheRead, reportedWritten);
  // Some hosts count tokens as read and as written. Such tokens count once.
  const cacheWritten = apart ? reportedWritten : Math.min(reportedWritten, prompt - cacheRead);
  const thinking = firstCount(
    usage.completion_tokens_details?.reasoning_tokens,
    hiddenThinking(usage, [cacheRead, reportedWritten, cacheRead + reportedWritten]),
  );
  const output = outputTokensOf(usage, thinking);
  const searches = firstCount(
    (usage.server_tool_use_details ?? usage.server_tool_use)?.web_search_requests,
  );
  return {
    report: {
      cache_read_input_tokens: cacheRead,
      cache_creation_input_tokens: cacheWritten,
      ...(promptTokens !== undefined && { input_tokens: apart ? prompt : prompt - cacheRead - cacheWritten }),
      ...(output !== undefined && { output_tokens: output }),
      ...(thinking > 0 && { output_tokens_details: { thinking_tokens: thinking } }),
      ...(searches > 0 && { server_tool_use: { web_search_requests: searches } }),
    },
    // The count of an answer with searches includes their results, which are not in the request.
    input: prompt > 0 && searches === 0 ? (apart ? prompt + cacheRead + cacheWritten : prompt) : undefined,
    output,
  };
}

/**
 * Returns the tokens by which the total exceeds prompt and completion: the thinking on Gemini's endpoint, which sends
 * no details. `others` are counts that explain such a difference otherwise.
 */
function hiddenThinking(usage: ChatUsage, others: readonly number[]): number {
  const [prompt, completion, total] = [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens].map(
    parseCount,
  );
  if (prompt === undefined || completion === undefined || total === undefined) return 0;
  const difference = total - prompt - completion;
  const audio = firstCount(usage.prompt_tokens_details?.audio_tokens, usage.citation_tokens);
  return difference > 0 && ![...others, audio].includes(difference) ? difference : 0;
}

/** Returns the cost in USD: a number, or the total of an object, as Perplexity and Venice send it. */
export function toCost(cost: unknown): number | undefined {
  const value = isObject(cost) ? cost.total_cost ?? cost.usd : cost;
  return typeof value === "number" && value >= 0 && value < Infinity ? value : undefined;
}

/** Returns the output tokens. xAI and Gemini count thinking apart from the completion, which the total reveals. */
function outputTokensOf({ prompt_tokens, completion_tokens, total_tokens }: ChatUsage, thinking: number) {
  const completion = parseCount(completion_tokens);
  if (completion === undefined) return undefined;
  const apart = thinking > 0 && total_tokens === (parseCount(prompt_tokens) ?? 0) + completion + thinking;
  return apart ? completion + thinking : completion;
}

/** Returns the first count that is not 0, or 0. */
function firstCount(...values: unknown[]): number {
  return values.map(parseCount).find(Boolean) ?? 0;
}

/** Returns a count, or undefined if the value is not one. A wrong count does not fail the answer. */
function parseCount(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value < Infinity ? Math.round(value) : undefined;
}
