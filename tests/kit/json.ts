import assert from "node:assert/strict";

/** A JSON object whose members are not known. */
export type Json = { [key: string]: unknown };

/** Parsed JSON that a test created, whose members are read without a check. */
export type Wire = ReturnType<typeof JSON.parse>;

/** Returns true if the value is a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a text that must be a JSON object. */
export function parseJson(text: string): Json {
  return asJson(JSON.parse(text));
}

/** Returns the value, which must be a JSON object. */
export function asJson(value: unknown): Json {
  assert.ok(isJson(value), "not a JSON object");
  return value;
}

/**
 * Returns the member at a path of a JSON value, or `undefined`.
 *
 * @example Usage
 * ```ts
 * import { dig } from "./json.ts";
 *
 * if (dig({ choices: [{ index: 0 }] }, "choices", 0, "index") !== 0) throw new Error("lost");
 * ```
 */
export function dig(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value;
  for (const step of path) {
    if (Array.isArray(at)) at = at[Number(step)];
    else if (isJson(at)) at = at[step];
    else return undefined;
  }
  return at;
}

/** Returns the objects of a list, or an empty list if the value is not a list. */
export function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

/** Returns the value if it is a string, otherwise an empty string. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Returns the value if it is a number, otherwise 0. */
export function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
