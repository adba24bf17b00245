import { msUntilUnused, type QuotaCheck } from "./quota.ts";
import { toRfc3339 } from "./period.ts";

/**
 * Returns Anthropic's headers for limits per minute. Each metric reports the quota with the least left. A metric
 * without a limit has no header.
 *
 * Source: https://platform.claude.com/docs/en/api/rate-limits#response-headers
 */
export function rateLimitHeaders({ charges, used, now }: QuotaCheck): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [metric, name] of HEADER_METRICS) {
    const [tightest] = charges.flatMap(({ quota }, at) => {
      if (quota.metric !== metric) return [];
      const usedNow = used[at] ?? 0;
      return [{ quota, usedNow, remaining: Math.max(0, Math.floor(quota.limit - usedNow)) }];
    }).sort((a, b) => a.remaining - b.remaining);
    if (tightest === undefined) continue;
    const { quota, usedNow, remaining } = tightest;
    headers[`anthropic-ratelimit-${name}-limit`] = String(quota.limit);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(remaining);
    headers[`anthropic-ratelimit-${name}-reset`] = toRfc3339(now + (msUntilUnused(quota, usedNow, now) ?? 0));
  }
  return headers;
}

const HEADER_METRICS = [
  ["requests", "requests"],
  ["input_tokens", "input-tokens"],
  ["output_tokens", "output-tokens"],
] as const;
