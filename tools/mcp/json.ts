import type { JsonObject } from "../call.ts";

/** Returns true if a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns true if a value is nested more deeply than `max`. */
export function isDeeperThan(max: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return max <= 0 || Object.values(value).some((item) => isDeeperThan(max - 1, item));
}
