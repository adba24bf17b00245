import { isObject } from "../base/json.ts";

/** Maximum number of differences that are returned, and of characters of a shown value. */
const MAX_DIFFERENCES = 50;
const MAX_VALUE_CHARS = 200;

/**
 * Returns the differences of two JSON values, one line each: `path: before -> after`. Ids that the gateway makes are
 * compared by the order of their first use. All others are in `given`, what the gateway has received.
 *
 * @example Usage
 * ```ts
 * import { findDifferences } from "./differences.ts";
 *
 * const [line] = findDifferences({ a: [1, 2] }, { a: [1, 3] });
 * if (line !== "a.1: 2 -> 3") throw new Error(line);
 * ```
 */
export function findDifferences(before: unknown, after: unknown, given = ""): string[] {
  const lines: string[] = [];
  compare(withSteadyIds(before, given), withSteadyIds(after, given), "");
  return lines;

  function compare(one: unknown, other: unknown, path: string): void {
    if (lines.length >= MAX_DIFFERENCES || Object.is(one, other)) return;
    if (Array.isArray(one) && Array.isArray(other)) {
      for (let at = 0; at < Math.max(one.length, other.length); at++) {
        compare(one[at], other[at], toPath(path, String(at)));
      }
    } else if (isObject(one) && isObject(other)) {
      for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
        compare(one[name], other[name], toPath(path, name));
      }
    } else lines.push(`${path || "(all)"}: ${show(one)} -> ${show(other)}`);
  }
}

function toPath(path: string, step: string): string {
  return path === "" ? step : `${path}.${step}`;
}

function show(value: unknown): string {
  if (value === undefined) return "(missing)";
  const json = JSON.stringify(value);
  return json.length > MAX_VALUE_CHARS ? `${json.slice(0, MAX_VALUE_CHARS)}…` : json;
}

/** Replaces ids that are not given, such as `msg_` and 24 letters, by their order of appearance. */
function withSteadyIds(value: unknown, given: string): unknown {
  if (value === undefined) return undefined;
  const ids = new Map<string, string>();
  const text = JSON.stringify(value).replace(/\b([a-z]+_)[\dA-Za-z]{24}\b/g, (id, prefix: string) => {
    if (given.includes(id)) return id;
    const known = ids.get(id) ?? `${prefix}${ids.size + 1}`;
    ids.set(id, known);
    return known;
  });
  return JSON.parse(text);
}
