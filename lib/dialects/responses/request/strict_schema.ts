import { isObject, type JsonObject } from "../../../base/json.ts";

/** Keywords that strict schemas must not have. Source: https://platform.openai.com/docs/guides/structured-outputs */
const UNSUPPORTED_KEYWORDS = [
  "allOf",
  "oneOf",
  "not",
  "if",
  "then",
  "else",
  "dependentRequired",
  "dependentSchemas",
  "patternProperties",
  "propertyNames",
  "unevaluatedProperties",
  "unevaluatedItems",
  "contains",
  "prefixItems",
];

/**
 * True if the host can enforce a schema: each of its objects is closed and requires all its properties, and it has only
 * supported keywords. Otherwise the host rejects a request that says `strict: true`.
 *
 * @example Usage
 * ```ts
 * import { canBeStrict } from "./strict_schema.ts";
 *
 * const properties = { a: { type: "string" } };
 * const closed = { type: "object", properties, required: ["a"], additionalProperties: false };
 * if (!canBeStrict(closed) || canBeStrict({ type: "object", properties })) throw new Error("unexpected result");
 * ```
 */
export function canBeStrict(schema: JsonObject): boolean {
  return schema.type === "object" && isStrict(schema, 0);
}

/** Maximum depth of a strict schema. */
const MAX_DEPTH = 10;

function isStrict(schema: unknown, depth: number): boolean {
  if (!isObject(schema) || depth > MAX_DEPTH) return false;
  if (UNSUPPORTED_KEYWORDS.some((keyword) => keyword in schema)) return false;
  const { type, properties, required, additionalProperties, items, anyOf, $defs, definitions } = schema;
  const isObjectType = type === "object" || (Array.isArray(type) && type.includes("object"));
  if (isObjectType || properties !== undefined) {
    if (additionalProperties !== false || !isObject(properties) || !Array.isArray(required)) return false;
    if (!Object.keys(properties).every((name) => required.includes(name))) return false;
  }
  const inner = [
    ...(isObject(properties) ? Object.values(properties) : []),
    ...(isObject($defs) ? Object.values($defs) : []),
    ...(isObject(definitions) ? Object.values(definitions) : []),
    ...(Array.isArray(anyOf) ? anyOf : []),
    ...(items === undefined ? [] : [items]),
  ];
  return inner.every((one) => isStrict(one, depth + 1));
}
