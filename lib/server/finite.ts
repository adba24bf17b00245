/**
 * Finds a number in parsed JSON that is too large to be one, such as `1e999`: written out again it would be `null`.
 * Gives the steps to it, the last first, or `undefined` where there is none.
 *
 * @example Usage
 * ```ts
 * import { findInfinite } from "./finite.ts";
 *
 * findInfinite(JSON.parse('{"a":[1,1e999]}')); // ["1", "a"]
 * ```
 */
export function findInfinite(value: unknown): string[] | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : [];
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const steps = findInfinite(member);
    if (steps !== undefined) return [...steps, name];
  }
  return undefined;
}
