/**
 * Returns a function that calls another one with its first call, and returns the same promise from then on: for modules
 * that are loaded when they are first needed, on the path of every request. After a failure, such as too many open
 * files, the next call tries again.
 *
 * @example Usage
 * ```ts
 * import { once } from "./once.ts";
 *
 * let loads = 0;
 * const load = once(async () => ++loads);
 * await Promise.all([load(), load()]);
 * if (loads !== 1) throw new Error(String(loads));
 * ```
 */
export function once<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loaded: Promise<Value> | undefined;
  return () =>
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
}
