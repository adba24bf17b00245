import { isObject, type JsonObject } from "../../../base/json.ts";
import type { ChatFeatures } from "../chat.ts";

/** Where a JSON Schema holds other schemas: one, a list of them, or some by name. */
const ONE = new Set([
  "additionalItems",
  "additionalProperties",
  "contains",
  "contentSchema",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
]);
const LISTED = new Set(["allOf", "anyOf", "items", "oneOf", "prefixItems"]);
const NAMED = new Set(["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"]);

/** What a host does not take of JSON Schema. */
export type Refused = Pick<ChatFeatures, "refusedKeywords" | "takenFormats">;

/**
 * Takes out of a JSON Schema what a host refuses, at every depth. What only looks like it, a property of that name or a
 * word among the values, stays; so does the schema itself, where there is nothing to take out.
 *
 * @example Usage
 * ```ts
 * import { cleanSchema } from "./clean_schema.ts";
 *
 * const schema = { type: "object", $schema: "draft-07", properties: { $schema: { type: "string" } } };
 * const clean = cleanSchema(schema, { refusedKeywords: ["$schema"], takenFormats: undefined });
 * if (JSON.stringify(clean) !== '{"type":"object","properties":{"$schema":{"type":"string"}}}') throw new Error("unclean");
 * ```
 */
export function cleanSchema(schema: JsonObject, refused: Refused): JsonObject {
  const nothing = refused.refusedKeywords.length === 0 && refused.takenFormats === undefined;
  return nothing ? schema : cleanOne(schema, refused);
}

function cleanOne(schema: JsonObject, refused: Refused): JsonObject {
  const { refusedKeywords, takenFormats } = refused;
  const kept = Object.entries(schema).flatMap(([keyword, value]): [string, unknown][] => {
    if (keyword === "format" && takenFormats?.includes(String(value)) === false) return [];
    if (!refusedKeywords.includes(keyword)) return [[keyword, cleanKeyword(keyword, value, refused)]];
    // A constant is a choice of one, which says the same.
    const choice = keyword === "const" && schema.enum === undefined && !refusedKeywords.includes("enum");
    return choice ? [["enum", [value]]] : [];
  });
  const same = kept.length === Object.keys(schema).length &&
    kept.every(([keyword, value]) => schema[keyword] === value);
  return same ? schema : Object.fromEntries(kept);
}

function cleanKeyword(keyword: string, value: unknown, refused: Refused): unknown {
  const clean = (item: unknown) => isObject(item) ? cleanOne(item, refused) : item;
  if (Array.isArray(value)) return LISTED.has(keyword) ? same(value, value.map(clean)) : value;
  if (!isObject(value)) return value;
  if (ONE.has(keyword)) return clean(value);
  if (!NAMED.has(keyword)) return value;
  const named = Object.entries(value).map(([name, item]): [string, unknown] => [name, clean(item)]);
  return named.every(([name, item]) => value[name] === item) ? value : Object.fromEntries(named);
}

function same(before: unknown[], after: unknown[]): unknown[] {
  return after.every((item, at) => item === before[at]) ? before : after;
}
