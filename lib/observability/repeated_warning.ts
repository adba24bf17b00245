import type { LogComponent } from "../base/log_components.ts";
import type { Clock } from "../runtime/clock.ts";
import { logWarning } from "./log.ts";

/** Time between two lines of the same warning, in milliseconds. */
const PAUSE_MS = 60_000;

/**
 * Creates a warning about a failure that is tried again: the first is logged, then at most one a minute. The field
 * `failures` is the number of failures since the line before.
 */
export function createRepeatedWarning(
  message: string,
  { clock, component }: { clock: Pick<Clock, "now">; component?: LogComponent },
): (error: unknown) => void {
  let loggedAt = -Infinity;
  let failures = 0;
  return (error) => {
    failures++;
    const now = clock.now();
    if (now >= loggedAt && now - loggedAt < PAUSE_MS) return;
    logWarning(message, { error, failures }, component);
    loggedAt = now;
    failures = 0;
  };
}
