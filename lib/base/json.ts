/** A JSON object whose members are not known. */
export type JsonObject = { [key: string]: unknown };

/** Tells whether a value is a JSON object: neither an array nor `null`. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Gives a value as text: a string as it is, anything else as JSON. `String` fails where an object says that it may. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

/** Reads JSON, or gives `undefined` where the text is none. */
export function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
