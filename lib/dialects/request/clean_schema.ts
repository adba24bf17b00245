import { isObject, type JsonObject } from "../../base/json.ts";

/** JSON Schema keywords whose value is a schema. */
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
/** JSON Schema keywords whose value is a list of schemas. */
const SCHEMA_LIST_KEYWORDS = new Set(["allOf", "anyOf", "items", "oneOf", "prefixItems"]);
/** JSON Schema keywords whose value is an object of schemas by name. */
const SCHEMA_MAP_KEYWORDS = new Set([
  "$defs",
  "definitions",
  "dependentSchemas",
  "patternProperties",
  "properties",
]);

/** Limits of a host's support of JSON Schema. */
export interface SchemaSupport {
  /** Keywords for which the host rejects a request. */
  rejectedKeywords: readonly string[];
  /** Accepted values of the keyword `format`. Undefined if the host accepts all. */
  supportedFormats: readonly string[] | undefined;
}

/**
 * Removes the keywords and formats that a host rejects from a JSON Schema, at any depth.
 *
 * Properties and values of the same name stay. If there is nothing to remove, the same object is returned.
 *
 * @example Usage
 * ```ts
 * import { cleanSchema } from "./clean_schema.ts";
 *
 * const schema = { type: "object", $schema: "draft-07", properties: { $schema: { type: "string" } } };
 * const clean = cleanSchema(schema, { rejectedKeywords: ["$schema"], supportedFormats: undefined });
 * if (JSON.stringify(clean) !== '{"type":"object","properties":{"$schema":{"type":"string"}}}') throw new Error("not cleaned");
 * ```
 */
export function cleanSchema(schema: JsonObject, support: SchemaSupport): JsonObject {
  const acceptsAll = support.rejectedKeywords.length === 0 && support.supportedFormats === undefined;
  return acceptsAll ? schema : cleanObject(schema, support);
}

function cleanObject(schema: JsonObject, support: SchemaSupport): JsonObject {
  const { rejectedKeywords, supportedFormats } = support;
  const kept = Object.entries(schema).flatMap(([keyword, value]): [string, unknown][] => {
    if (keyword === "format" && supportedFormats?.includes(String(value)) === false) return [];
    if (!rejectedKeywords.includes(keyword)) return [[keyword, cleanKeyword(keyword, value, support)]];
    // `const` is the same as an `enum` with one value.
    const choice = keyword === "const" && schema.enum === undefined && !rejectedKeywords.includes("enum");
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
