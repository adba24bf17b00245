import { isObject } from "../base/json.ts";
import type { TextCounter } from "./text.ts";

/** Counts the tokens of a JSON value by its keys and strings, without serializing it. */
export function countValue(value: unknown, count: TextCounter): number {
  if (typeof value === "string") return count(value) + 1;
  if (Array.isArray(value)) {
    return value.reduce((tokens: number, item) => tokens + countValue(item, count), 1);
  }
  if (!isObject(value)) return 1;
  let tokens = 1;
  for (const key in value) tokens += count(key) + 1 + countValue(value[key], count);
  return tokens;
}
