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
