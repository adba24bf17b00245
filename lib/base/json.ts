/** A JSON object with unknown members. */
export type JsonObject = { [key: string]: unknown };

/** Returns true if a value is an object: not an array, not `null`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Returns a string unchanged, any other value as JSON, and `undefined` as an empty string.
 *
 * `String()` would throw on a parsed object such as `{"toString": 1}`.
 */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

/** Parses JSON. Returns `undefined` if the text is not JSON. */
export function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Writes a value as JSON whose members are in the order of their names at every level, without space between them.
 *
 * @example Usage
 * ```ts
 * import { toSortedJson } from "./json.ts";
 *
 * if (toSortedJson({ b: [2], a: 1 }) !== '{"a":1,"b":[2]}') throw new Error("not sorted");
 * ```
 */
export function toSortedJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) => isObject(member) ? sorted(member) : member);
}

function sorted(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).sort(([one], [other]) => one < other ? -1 : 1));
}
