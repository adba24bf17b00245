import { type Judged, lifeOf } from "./quota.ts";
import { toTime } from "./period.ts";

/**
 * Anthropic's headers for the limits a minute: of each kind the one of which least is left, and nothing where there is
 * no limit. Source: https://platform.claude.com/docs/en/api/rate-limits#response-headers
 */
export function toRateHeaders({ draws, used, now }: Judged): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [what, name] of KINDS) {
    const [tightest] = draws.flatMap(({ meter }, at) => {
      if (meter.what !== what) return [];
      const drained = used[at] ?? 0;
      return [{ meter, drained, left: Math.max(0, Math.floor(meter.limit - drained)) }];
    }).sort((a, b) => a.left - b.left);
    if (tightest === undefined) continue;
    const { meter, drained, left } = tightest;
    headers[`anthropic-ratelimit-${name}-limit`] = String(meter.limit);
    headers[`anthropic-ratelimit-${name}-remaining`] = String(left);
    headers[`anthropic-ratelimit-${name}-reset`] = toTime(now + (lifeOf(meter, drained, now) ?? 0));
  }
  return headers;
}

const KINDS = [
  ["requests", "requests"],
  ["input_tokens", "input-tokens"],
  ["output_tokens", "output-tokens"],
] as const;
