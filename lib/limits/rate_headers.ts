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
    let tightest = -1;
    let remaining = Infinity;
    for (let at = 0; at < charges.length; at++) {
      const quota = charges[at]?.quota;
      if (quota?.metric !== metric) continue;
      const left = Math.max(0, Math.floor(quota.limit - (used[at] ?? 0)));
      if (left >= remaining) continue;
      tightest = at;
      remaining = left;
    }
    const quota = charges[tightest]?.quota;
    if (quota === undefined) continue;
    headers[`anthropic-ratelimit-${name}-limit`] = String(quota.limit);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(remaining);
    headers[`anthropic-ratelimit-${name}-reset`] = toRfc3339(
      now + (msUntilUnused(quota, used[tightest] ?? 0, now) ?? 0),
    );
  }
  return headers;
}

const HEADER_METRICS = [
  ["requests", "requests"],
  ["input_tokens", "input-tokens"],
  ["output_tokens", "output-tokens"],
] as const;
