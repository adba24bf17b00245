import type { Usage } from "../anthropic/events.ts";
import { isObject, type JsonObject } from "../base/json.ts";

/** Adds the usage of two turns. For values that are not numbers, the later one is kept. */
export function sumUsage(before: JsonObject, after: JsonObject): JsonObject {
  const sum = new Map(Object.entries(before));
  for (const [name, value] of Object.entries(after)) sum.set(name, add(sum.get(name), value));
  return Object.fromEntries(sum);
}

function add(before: unknown, after: unknown): unknown {
  if (typeof before === "number" && typeof after === "number") return before + after;
  if (isObject(before) && isObject(after)) return sumUsage(before, after);
  return after ?? before;
}

/** Converts a sum to the usage of a message. */
export function toUsage({ input_tokens, output_tokens, ...rest }: JsonObject): Usage {
  return { ...rest, input_tokens: numberOrZero(input_tokens), output_tokens: numberOrZero(output_tokens) };
}

function numberOrZero(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
