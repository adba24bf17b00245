/** A JSON object whose members are not known. */
export type Json = { [key: string]: unknown };

/** Tells whether a value is a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Looks up what stands at a path inside a JSON value; `undefined` where nothing does.
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

/** The objects of a list; none where the value is no list. */
export function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

/** The value if it is text, otherwise the empty text. */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The value if it is a number, otherwise 0. */
export function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
