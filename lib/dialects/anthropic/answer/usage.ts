import type { UsageReport } from "../../../anthropic/events.ts";
import type { Counts } from "./schemas.ts";

/** OpenRouter's additions to Anthropic's usage report, which are removed. */
const OPENROUTER_USAGE_FIELDS = ["cost", "cost_details", "is_byok"];

/** Token counts of a native answer. */
export interface NativeCounts {
  /** Usage for the client, without OpenRouter's fields. */
  report: UsageReport & { input_tokens?: number; output_tokens?: number };
  /** Cost in USD, if reported. */
  cost: number | undefined;
  /** Input tokens including those of the cache, if reported. */
  inputTokens: number | undefined;
}

/** Reads the usage of an upstream with Anthropic's API. */
export function readUsage(usage: Counts): NativeCounts {
  const { input_tokens, output_tokens, ...rest } = usage;
  const inputTotal = [input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens]
    .reduce((sum: number, count) => sum + (typeof count === "number" ? count : 0), 0);
  const kept = Object.entries(rest).filter(([field]) => !OPENROUTER_USAGE_FIELDS.includes(field));
  return {
    report: {
      ...Object.fromEntries(kept),
      ...(typeof input_tokens === "number" && { input_tokens }),
      ...(typeof output_tokens === "number" && { output_tokens }),
    },
    cost: typeof usage.cost === "number" ? usage.cost : undefined,
    inputTokens: inputTotal > 0 ? inputTotal : undefined,
  };
}
