import { hasType } from "./keywords.ts";

/** A set of kinds of values, as a bit mask. A number is an integer or a fraction. */
export type Kinds = number;

export const NO_KIND: Kinds = 0;
export const INTEGER: Kinds = 4;
export const FRACTION: Kinds = 8;
export const STRING: Kinds = 16;
export const ARRAY: Kinds = 32;
export const OBJECT: Kinds = 64;
export const ALL_KINDS: Kinds = 127;

const KINDS_BY_TYPE: ReadonlyMap<string, Kinds> = new Map([
  ["null", 1],
  ["boolean", 2],
  ["integer", INTEGER],
  ["number", INTEGER | FRACTION],
  ["string", STRING],
  ["array", ARRAY],
  ["object", OBJECT],
]);

/** Returns the kinds of the keyword `type`. */
export function kindsOfType(type: unknown): Kinds {
  if (type === undefined) return ALL_KINDS;
  const types = Array.isArray(type) ? type : [type];
  return types.reduce((kinds: Kinds, one) => kinds | (KINDS_BY_TYPE.get(String(one)) ?? NO_KIND), NO_KIND);
}

/** Returns the kind of a value. */
export function kindOf(value: unknown): Kinds {
  if (typeof value === "number") return Number.isInteger(value) ? INTEGER : FRACTION;
  return [...KINDS_BY_TYPE].find(([type]) => hasType(value, type))?.[1] ?? NO_KIND;
}
