declare const Deno: unknown;

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
    // On Deno, what waits for setImmediate() continues before the server has read requests that have arrived.
    if (typeof setImmediate === "function" && typeof Deno === "undefined") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
