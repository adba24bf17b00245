import type { Clock } from "./clock.ts";

/**
 * Waits at most `ms` milliseconds for a promise, then returns `undefined`. The promise itself is not cancelled.
 *
 * @example Usage
 * ```ts
 * import { systemClock } from "./clock.ts";
 * import { withTimeout } from "./timeout.ts";
 *
 * if (await withTimeout(systemClock, 1000, Promise.resolve("done")) !== "done") throw new Error("too late");
 * ```
 */
export function withTimeout<Value>(
  clock: Clock,
  ms: number,
  promise: Promise<Value>,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => resolve(undefined));
    promise.then((value) => {
      cancel();
      resolve(value);
    }, (error: unknown) => {
      cancel();
      reject(error);
    });
  });
}
