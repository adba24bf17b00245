import { setTimeout } from "node:timers/promises";

/** Longest wait for a condition, in milliseconds of the real clock: much longer than a busy machine needs. */
const MAX_WAIT_MS = 60_000;

/**
 * Polls a condition that has no event, until it holds.
 *
 * @throws {Error} if it does not hold within a minute, so that a test fails instead of hanging.
 */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + MAX_WAIT_MS;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`this does not become true: ${condition}`);
    await setTimeout(1);
  }
}
