import { CostError } from "./schema_error.ts";

/**
 * Returns a text that is the same for two JSON values if JSON Schema takes them as equal: members of objects in any
 * order, numbers by their value.
 *
 * A set of these texts finds duplicates in linear time.
 *
 * @throws {CostError} if the value is nested too deep.
 *
 * @example Usage
 * ```ts
 * import { canonicalText } from "./canonical.ts";
 *
 * if (canonicalText({ a: 1, b: 2 }) !== canonicalText({ b: 2, a: 1.0 })) throw new Error("not equal");
 * ```
 */
export function canonicalText(value: unknown): string {
  return toText(value, 0);
}

function toText(value: unknown, depth: number): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value === 0 ? 0 : value) ?? "";
  let text = TEXTS.get(value);
  if (text === undefined) TEXTS.set(value, text = toCompoundText(value, depth + 1));
  return text;
}

/** Texts of lists and objects: a schema may ask for them once more at each level. */
const TEXTS = new WeakMap<object, string>();

function toCompoundText(value: object, depth: number): string {
  if (depth > MAX_DEPTH) throw new CostError("Cannot compare the value: it is nested too deep");
  if (Array.isArray(value)) return `[${value.map((item) => toText(item, depth)).join()}]`;
  const members = Object.entries(value).map(([name, member]) =>
    `${JSON.stringify(name)}:${toText(member, depth)}`
  );
  return `{${members.sort().join()}}`;
}

/** How deep a value may be nested. */
const MAX_DEPTH = 600;
