import { isObject, type JsonObject } from "../../../base/json.ts";
import type { ChatFeatures } from "../chat.ts";

/** Where a JSON Schema holds other schemas: one, a list of them, or some by name. */
const SINGLE_SCHEMA_KEYWORDS = new Set([
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
const SCHEMA_LIST_KEYWORDS = new Set(["allOf", "anyOf", "items", "oneOf", "prefixItems"]);
const SCHEMA_MAP_KEYWORDS = new Set([
  "$defs",
  "definitions",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);

/** What a host does not take of JSON Schema. */
export type SchemaSupport = Pick<ChatFeatures, "refusedKeywords" | "takenFormats">;

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
export function cleanSchema(schema: JsonObject, support: SchemaSupport): JsonObject {
  const acceptsAll = support.refusedKeywords.length === 0 && support.takenFormats === undefined;
  return acceptsAll ? schema : cleanObject(schema, support);
}

function cleanObject(schema: JsonObject, support: SchemaSupport): JsonObject {
  const { refusedKeywords, takenFormats } = support;
  const kept = Object.entries(schema).flatMap(([keyword, value]): [string, unknown][] => {
    if (keyword === "format" && takenFormats?.includes(String(value)) === false) return [];
    if (!refusedKeywords.includes(keyword)) return [[keyword, cleanKeyword(keyword, value, support)]];
    // A constant is a choice of one, which says the same.
    const choice = keyword === "const" && schema.enum === undefined && !refusedKeywords.includes("enum");
    return choice ? [["enum", [value]]] : [];
  });
  const unchanged = kept.length === Object.keys(schema).length &&
    kept.every(([keyword, value]) => schema[keyword] === value);
  return unchanged ? schema : Object.fromEntries(kept);
}

function cleanKeyword(keyword: string, value: unknown, support: SchemaSupport): unknown {
  const clean = (item: unknown) => isObject(item) ? cleanObject(item, support) : item;
  if (Array.isArray(value)) {
    return SCHEMA_LIST_KEYWORDS.has(keyword) ? keepIfUnchanged(value, value.map(clean)) : value;
  }
  if (!isObject(value)) return value;
  if (SINGLE_SCHEMA_KEYWORDS.has(keyword)) return clean(value);
  if (!SCHEMA_MAP_KEYWORDS.has(keyword)) return value;
  const named = Object.entries(value).map(([name, item]): [string, unknown] => [name, clean(item)]);
  return named.every(([name, item]) => value[name] === item) ? value : Object.fromEntries(named);
}

function keepIfUnchanged(before: unknown[], after: unknown[]): unknown[] {
  return after.every((item, at) => item === before[at]) ? before : after;
}
