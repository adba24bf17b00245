import type { Clock } from "./clock.ts";

/**
 * Waits for a promise, but no longer than `ms` milliseconds: then returns `undefined`. The promise itself goes on.
 *
 * @example Usage
 * ```ts
 * import { systemClock } from "./clock.ts";
 * import { withTimeout } from "./timeout.ts";
 *
 * if (await withTimeout(systemClock, 1000, Promise.resolve("done")) !== "done") throw new Error("too late");
 * ```
 */
export async function withTimeout<Value>(
  clock: Clock,
  ms: number,
  promise: Promise<Value>,
): Promise<Value | undefined> {
  let cancel = () => {};
  const timeout = new Promise<undefined>((resolve) => {
    cancel = clock.after(ms, () => resolve(undefined));
  });
  return await Promise.race([promise, timeout]).finally(cancel);
}
