import { isObject, type JsonObject } from "../../base/json.ts";
import { cleanSchema, type SchemaSupport } from "../request/clean_schema.ts";

/** What Gemini's endpoints reject. Source: https://ai.google.dev/api/caching#Schema, and its errors */
const GEMINI: SchemaSupport = {
  rejectedKeywords: [
    "$schema",
    "$id",
    "$defs",
    "definitions",
    "additionalProperties",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "patternProperties",
    "propertyNames",
    "const",
    "default",
    "examples",
    "not",
    "if",
    "then",
    "else",
    "uniqueItems",
    "multipleOf",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
  ],
  supportedFormats: ["enum", "date-time", "float", "double", "int32", "int64"],
};

/** Maximum depth of schemas within schemas. A deeper schema accepts anything. */
const MAX_DEPTH = 32;
/** Maximum number of schemas that are written. References can multiply a small schema. */
const MAX_SCHEMAS = 5000;

/**
 * Reduces a JSON Schema to the subset of OpenAPI that Gemini's endpoints accept.
 *
 * A type is one name, and `nullable`. An array has `items`. `required` lists only described properties. References are
 * replaced by their targets, `oneOf` by `anyOf`, and `allOf` is merged. If there is nothing to change, the same object
 * is returned.
 *
 * @example Usage
 * ```ts
 * import { simplifySchema } from "./simplify_schema.ts";
 *
 * const schema = { type: "object", properties: { path: { type: ["string", "null"] } }, required: ["path", "line"] };
 * const simple = JSON.stringify(simplifySchema(schema));
 * const expected = '{"type":"object","properties":{"path":{"type":"string","nullable":true}},"required":["path"]}';
 * if (simple !== expected) throw new Error(simple);
 * ```
 */
export function simplifySchema(schema: JsonObject): JsonObject {
  const reading = { root: schema, path: [], depth: 0, budget: { left: MAX_SCHEMAS } };
  const simple = cleanSchema(toShape(schema, reading), GEMINI);
  return JSON.stringify(simple) === JSON.stringify(schema) ? schema : simple;
}

/** Where a schema is read. */
interface Reading {
  root: JsonObject;
  /** References that led here. A reference to one of them is recursive. */
  path: readonly string[];
  depth: number;
  budget: { left: number };
}

function toShape(value: unknown, reading: Reading): JsonObject {
  if (!isObject(value) || reading.depth > MAX_DEPTH || --reading.budget.left < 0) return {};
  const resolved = resolve(value, reading);
  const schema = mergeAll(resolved.schema, resolved.reading);
  const inner = (item: unknown) => toShape(item, { ...resolved.reading, depth: reading.depth + 1 });
  const { type, properties, required, items, prefixItems, oneOf, anyOf, enum: values, ...rest } = schema;
  const { $ref: _ref, allOf: _all, $defs: _defs, definitions: _definitions, ...kept } = rest;
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  const shape: JsonObject = {
    ...toType(type ?? (isObject(properties) ? "object" : undefined), values, schema),
    ...kept,
    ...(isObject(properties) && { properties: mapValues(properties, inner) }),
    ...toRequired(required, properties),
    ...(type === "array" || isTypeList(type, "array") || items !== undefined
      ? {
        items: inner(
          Array.isArray(items) ? items[0] : items ?? (Array.isArray(prefixItems) ? prefixItems[0] : {}),
        ),
      }
      : {}),
  };
  return choices === undefined ? shape : withChoices(shape, choices.map(inner), choices);
}

/** Returns the target of a reference, or the schema itself. A recursive reference becomes any object. */
function resolve(schema: JsonObject, reading: Reading): { schema: JsonObject; reading: Reading } {
  const { $ref: reference, ...siblings } = schema;
  if (typeof reference !== "string") return { schema, reading };
  const [, kind = "", name = ""] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? [];
  const group = reading.root[kind];
  const target = isObject(group) ? group[decodePointer(name)] : undefined;
  if (!isObject(target) || reading.path.includes(reference)) {
    return { schema: { type: "object", ...siblings }, reading };
  }
  return resolve({ ...target, ...siblings }, { ...reading, path: [...reading.path, reference] });
}

function decodePointer(name: string): string {
  return name.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Merges the schemas of `allOf` into one. */
function mergeAll(schema: JsonObject, reading: Reading): JsonObject {
  const { allOf, ...rest } = schema;
  if (!Array.isArray(allOf) || reading.depth > MAX_DEPTH || --reading.budget.left < 0) return schema;
  const parts = allOf.filter(isObject).map((part) => {
    const resolved = resolve(part, { ...reading, depth: reading.depth + 1 });
    return mergeAll(resolved.schema, resolved.reading);
  });
  return parts.reduce((merged, part) => ({
    ...part,
    ...merged,
    ...(isObject(part.properties) && {
      properties: { ...part.properties, ...(isObject(merged.properties) && merged.properties) },
    }),
    ...(Array.isArray(part.required) && {
      required: [...new Set([...(Array.isArray(merged.required) ? merged.required : []), ...part.required])],
    }),
  }), rest);
}

/** Returns one type, `nullable`, and the texts of an `enum`. Gemini accepts an `enum` only of texts. */
function toType(type: unknown, values: unknown, { nullable, anyOf, const: only }: JsonObject): JsonObject {
  const names = Array.isArray(type) ? type : type === undefined ? [] : [type];
  const texts = Array.isArray(values) ? values.filter((value) => typeof value === "string") : undefined;
  const [first = "string", ...others] = names.filter((name) => name !== "null");
  const isNullable = nullable === true || names.includes("null") ||
    (Array.isArray(values) && values.includes(null));
  // A value of several types is described by its choices, if there are no others.
  const several = others.length > 0 && anyOf === undefined;
  const onlyTexts = texts !== undefined && texts.length > 0 && (names.length === 0 || first === "string");
  return {
    ...(several
      ? { anyOf: [first, ...others].map((name) => ({ type: name, ...(name === "array" && { items: {} }) })) }
      : names.length > 0 || onlyTexts || (isNullable && anyOf === undefined)
      ? { type: first }
      : {}),
    ...(isNullable && { nullable: true }),
    ...(onlyTexts && { enum: texts }),
    ...(typeof only === "string" && texts === undefined && { type: "string", enum: [only] }),
  };
}

function isTypeList(type: unknown, name: string): boolean {
  return Array.isArray(type) && type.filter((one) => one !== "null").join() === name;
}

function toRequired(required: unknown, properties: unknown): JsonObject {
  if (!Array.isArray(required)) return {};
  const described = required.filter((name) =>
    isObject(properties) && Object.hasOwn(properties, String(name))
  );
  return described.length === 0 ? {} : { required: described };
}

/**
 * Adds the choices of a value. A choice of `null` makes the value nullable, and a single choice is the value itself.
 */
function withChoices(shape: JsonObject, choices: JsonObject[], given: readonly unknown[]): JsonObject {
  const real = choices.filter((_choice, at) => !isNull(given[at]));
  const nullable = real.length < choices.length ? { nullable: true } : {};
  const [only] = real;
  if (real.length === 1 && only !== undefined) return { ...only, ...shape, ...nullable };
  // The choices have the types.
  const { type: _type, ...rest } = shape;
  return real.length === 0 ? { ...shape, ...nullable } : { ...rest, anyOf: real, ...nullable };
}

function isNull(schema: unknown): boolean {
  return isObject(schema) && schema.type === "null";
}

function mapValues(object: JsonObject, convert: (value: unknown) => JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, convert(value)]));
}
