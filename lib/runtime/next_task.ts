/**
 * Lets pending requests and timers run before it continues.
 *
 * Work on a large request is divided by it: otherwise all other requests wait until it is done.
 *
 * @example Usage
 * ```ts
 * import { nextTask } from "./next_task.ts";
 *
 * await nextTask();
 * ```
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
