import type { JsonObject } from "../base/json.ts";

/** Where the subschemas of a keyword are: its value, the items of a list, the members of an object, or either. */
type SubschemaPlace = "one" | "list" | "map" | "one or list" | "map or names";

/**
 * JSON Schema keywords that hold subschemas, of draft 4 to 2020-12.
 *
 * Source: https://json-schema.org/draft/2020-12/json-schema-core, section 10
 */
export const SUBSCHEMA_KEYWORDS: ReadonlyMap<string, SubschemaPlace> = new Map([
  ["additionalItems", "one"],
  ["additionalProperties", "one"],
  ["allOf", "list"],
  ["anyOf", "list"],
  ["contains", "one"],
  ["contentSchema", "one"],
  ["$defs", "map"],
  ["definitions", "map"],
  ["dependencies", "map or names"],
  ["dependentSchemas", "map"],
  ["else", "one"],
  ["if", "one"],
  ["items", "one or list"],
  ["not", "one"],
  ["oneOf", "list"],
  ["patternProperties", "map"],
  ["prefixItems", "list"],
  ["properties", "map"],
  ["propertyNames", "one"],
  ["then", "one"],
  ["unevaluatedItems", "one"],
  ["unevaluatedProperties", "one"],
]);

/** Keywords whose subschemas apply to the same value as the schema itself. */
export const IN_PLACE_KEYWORDS: readonly string[] = [
  "allOf",
  "anyOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentSchemas",
  "dependencies",
];

/** The types of JSON Schema. */
export const TYPES: readonly string[] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/** Returns true if a value has a JSON Schema type. */
export function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    default:
      return false;
  }
}

/** Returns how many names of members a schema lists in `required` and `dependentRequired`. */
export function listedNames({ required, dependentRequired, dependencies }: JsonObject): number {
  let count = Array.isArray(required) ? required.length : 0;
  for (const dependents of [dependentRequired, dependencies]) {
    for (const names of Object.values(dependents ?? {})) {
      count += 1 + (Array.isArray(names) ? names.length : 0);
    }
  }
  return count;
}
