import type { Minute } from "../../../observability/traffic/minutes.ts";

const MINUTE_MS = 60_000;
/** Minutes that count as recent. */
const RECENT = 15;

/** Returns the failures of the last 15 minutes and the minute of the first of them, if there are at least two. */
export function recentFailures(
  minutes: readonly Minute[],
  now: number,
): { count: number; since: number } | undefined {
  const recent = minutes.filter(({ minute }) => minute > Math.floor(now / MINUTE_MS) - RECENT);
  const count = recent.reduce((sum, { failed }) => sum + failed, 0);
  const first = recent.find(({ failed }) => failed > 0);
  return count < 2 || first === undefined ? undefined : { count, since: first.minute * MINUTE_MS };
}
