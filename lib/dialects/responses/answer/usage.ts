import type { UsageReport } from "../../../anthropic/events.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";

/** Token counts of an answer, with the meaning of Anthropic's fields. */
export interface ResponseCounts {
  report: UsageReport;
  /** Input tokens including those of the cache. Undefined if not reported. */
  input: number | undefined;
  /** Output tokens including those of thinking. Undefined if not reported. */
  output: number | undefined;
  /** Cost in USD. Undefined if not reported. */
  cost: number | undefined;
}

/** xAI's unit of costs. Derived from its recorded answers and its list prices. */
const TICKS_PER_USD = 1e10;

/**
 * Converts the usage of an answer: input tokens without cached ones, output tokens with those of thinking.
 *
 * @example Usage
 * ```ts
 * import { toCounts } from "./usage.ts";
 *
 * const counts = toCounts({ input_tokens: 100, input_tokens_details: { cached_tokens: 80 }, output_tokens: 7 });
 * if (counts.report.input_tokens !== 20 || counts.input !== 100) throw new Error("cached tokens were counted twice");
 * ```
 */
export function toCounts(usage: JsonObject): ResponseCounts {
  // Some hosts use the names of chat completions.
  const inputDetails = firstObject(usage.input_tokens_details, usage.prompt_tokens_details);
  const outputDetails = firstObject(usage.output_tokens_details, usage.completion_tokens_details);
  const reported = parseCount(usage.input_tokens ?? usage.prompt_tokens);
  const output = parseCount(usage.output_tokens ?? usage.completion_tokens);
  const read = parseCount(inputDetails.cached_tokens) ?? 0;
  const written = parseCount(inputDetails.cache_write_tokens) ?? 0;
  const thinking = parseCount(outputDetails.reasoning_tokens) ?? 0;
  // The input includes cached tokens. Where it is less than one of these counts, it cannot.
  const apart = Math.max(read, written) > (reported ?? 0);
  const total = (reported ?? 0) + (apart ? read + written : 0);
  // Tokens that were read and written at once count as read.
  const newlyWritten = Math.min(written, total - read);
  return {
    report: {
      cache_read_input_tokens: read,
      cache_creation_input_tokens: newlyWritten,
      ...(reported !== undefined && { input_tokens: total - read - newlyWritten }),
      ...(output !== undefined && { output_tokens: output }),
      ...(thinking > 0 && { output_tokens_details: { thinking_tokens: thinking } }),
    },
    input: total > 0 ? total : undefined,
    output,
    cost: costOf(usage),
  };
}

function costOf({ cost, cost_in_usd_ticks: ticks }: JsonObject): number | undefined {
  if (typeof cost === "number") return cost;
  return typeof ticks === "number" ? ticks / TICKS_PER_USD : undefined;
}

/** Returns a count, or undefined if the value is not one. A wrong count does not fail the answer. */
function parseCount(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value < Infinity ? Math.round(value) : undefined;
}

function firstObject(...values: readonly unknown[]): JsonObject {
  return values.find(isObject) ?? {};
}
