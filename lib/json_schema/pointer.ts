/** Appends a step to a JSON pointer, escaped. Source: https://www.rfc-editor.org/rfc/rfc6901 */
export function appendStep(pointer: string, step: string | number): string {
  return `${pointer}/${typeof step === "number" ? step : step.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Splits a JSON pointer into its steps, unescaped. */
export function toSteps(pointer: string): string[] {
  return pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * Returns the value at a JSON pointer; `undefined` if there is none.
 *
 * @example Usage
 * ```ts
 * import { resolvePointer } from "./pointer.ts";
 *
 * if (resolvePointer({ "a/b": [1, 2] }, "/a~1b/1") !== 2) throw new Error("not found");
 * ```
 */
export function resolvePointer(value: unknown, pointer: string): unknown {
  let found = value;
  for (const step of toSteps(pointer)) {
    found = typeof found === "object" && found !== null && Object.hasOwn(found, step)
      ? Reflect.get(found, step)
      : undefined;
  }
  return found;
}
