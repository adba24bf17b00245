import { isObject, type JsonObject } from "../../base/json.ts";
import { isEqualJson } from "../value_ids.ts";

/**
 * Keywords of OpenAI's strict mode that hold no subschemas. Source:
 * https://platform.openai.com/docs/guides/structured-outputs, "Supported schemas"
 */
const KEPT_KEYWORDS: ReadonlySet<string> = new Set([
  "type",
  "title",
  "description",
  "enum",
  "const",
  "pattern",
  "format",
  "multipleOf",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minItems",
  "maxItems",
]);
const KEPT_FORMATS: readonly unknown[] = [
  "date-time",
  "time",
  "date",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uuid",
];
/** Keywords that describe a value as a whole. A schema with one of them cannot be relaxed. */
const UNFIT_KEYWORDS: readonly string[] = [
  "patternProperties",
  "prefixItems",
  "allOf",
  "$dynamicRef",
  "$recursiveRef",
];
/** Keywords that the model is told of in the description, because strict mode has none of them. */
const TOLD_KEYWORDS: readonly string[] = ["minLength", "maxLength", "pattern", "format", "uniqueItems"];
/** Parts of patterns that strict mode does not have: lookarounds, groups with names, back-references. */
const UNFIT_PATTERN = /\(\?[=!<]|\\[1-9k]/;
/** References to places that stay where they are. */
const KEPT_REFERENCES = /^#(\/(\$defs|definitions)\/[^/]+|\/properties\/value)?$/;

/** What becomes of optional properties, of which strict mode has none. */
export interface StrictOptions {
  /** `nullable` makes them required and lets them be `null`; `unfit` finds that the schema does not fit. */
  optional: "nullable" | "unfit";
}

/**
 * Fits a schema to strict mode: all objects are closed, all properties required, and keywords that strict mode does not
 * have are left out. Returns `undefined` if the schema does not fit, such as one with a map of any names.
 *
 * Every valid value that has no other properties than the declared ones stays valid, but for `null` in the place of
 * optional properties: `withoutAddedNulls` removes it from the answer.
 *
 * @example Usage
 * ```ts
 * import { toStrictSchema } from "./strict.ts";
 *
 * const schema = { type: "object", properties: { note: { type: "string" } } };
 * const strict = toStrictSchema(schema, { optional: "nullable" });
 * const wanted = '{"type":"object","properties":{"note":{"type":["string","null"]}},' +
 *   '"required":["note"],"additionalProperties":false}';
 * if (JSON.stringify(strict) !== wanted) throw new Error(JSON.stringify(strict));
 * ```
 */
export function toStrictSchema(schema: JsonObject, options: StrictOptions): JsonObject | undefined {
  // Strict mode requires an object at the root, also beside `anyOf`.
  const strict = schema.type === "object" ? convert(schema, options) : undefined;
  return strict?.type === "object" ? strict : undefined;
}

/**
 * Returns true if a schema for strict mode differs from the client's in more than closed objects and the order of
 * required names: then keywords were left out or moved into the description.
 */
export function isApproximated(schema: JsonObject, strict: JsonObject): boolean {
  return !isEqualJson(withoutClosing(schema), withoutClosing(strict));
}

function withoutClosing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutClosing);
  if (!isObject(value)) return value;
  const members = Object.entries(value).filter(([name, member]) =>
    !(name === "additionalProperties" && member === false)
  );
  return Object.fromEntries(
    members.map(([name, member]) =>
      name === "required" && Array.isArray(member)
        ? [name, member.map(String).sort()]
        : [name, withoutClosing(member)]
    ),
  );
}

function convert(schema: unknown, options: StrictOptions): JsonObject | undefined {
  if (!isObject(schema)) return undefined;
  const { $ref, allOf } = schema;
  const definitions = convertDefinitions(schema, options);
  if (definitions === undefined) return undefined;
  if (typeof $ref === "string") return KEPT_REFERENCES.test($ref) ? { $ref, ...definitions } : undefined;
  if (Array.isArray(allOf) && allOf.length === 1 && isObject(allOf[0])) {
    const { allOf: _allOf, ...rest } = schema;
    const clashes = Object.keys(allOf[0]).some((keyword) => Object.hasOwn(rest, keyword));
    return clashes ? undefined : convert({ ...rest, ...allOf[0] }, options);
  }
  if (UNFIT_KEYWORDS.some((keyword) => Object.hasOwn(schema, keyword))) return undefined;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return convertChoices(choices, schema, { options, definitions });
  const types = typesOf(schema);
  if (types.length === 0) return undefined;
  const object = types.includes("object") ? convertObject(schema, options) : {};
  const array = types.includes("array") ? convertArray(schema, options) : {};
  if (object === undefined || array === undefined) return undefined;
  const type = schema.type === undefined ? { type: types.length === 1 ? types[0] : types } : {};
  return { ...type, ...convertScalars(schema), ...object, ...array, ...definitions };
}

/** Returns the types of a schema, which strict mode requires. Listed values have theirs. */
function typesOf({ type, enum: values, const: constant }: JsonObject): unknown[] {
  if (type !== undefined) return Array.isArray(type) ? type : [type];
  const listed = Array.isArray(values) ? values : constant === undefined ? [] : [constant];
  const types = new Set(listed.map((value) => value === null ? "null" : typeof value));
  return types.has("object") ? [] : [...types];
}

function convertDefinitions(schema: JsonObject, options: StrictOptions): JsonObject | undefined {
  const converted = ["$defs", "definitions"].filter((keyword) => isObject(schema[keyword])).map((keyword) => {
    const members = Object.entries(schema[keyword] ?? {}).map(([name, one]) => [name, convert(one, options)]);
    return members.every(([, one]) => one !== undefined) ? [keyword, Object.fromEntries(members)] : undefined;
  });
  return converted.every((one) => one !== undefined) ? Object.fromEntries(converted) : undefined;
}

function convertChoices(
  choices: unknown,
  schema: JsonObject,
  { options, definitions }: { options: StrictOptions; definitions: JsonObject },
): JsonObject | undefined {
  const describesMore = ["properties", "items", "enum", "const"].some((keyword) =>
    Object.hasOwn(schema, keyword)
  );
  if (!Array.isArray(choices) || describesMore) return undefined;
  const anyOf = choices.map((choice) => convert(choice, options));
  if (!anyOf.every((one) => one !== undefined)) return undefined;
  const { title, description } = schema;
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    anyOf,
    ...definitions,
  };
}

function convertObject(schema: JsonObject, options: StrictOptions): JsonObject | undefined {
  const { properties, additionalProperties, required } = schema;
  const isClosed = additionalProperties === false;
  // An object that declares nothing and is open is a map: closed, it could hold nothing.
  if (!isClosed && (additionalProperties !== undefined || !isObject(properties))) return undefined;
  const declared = isObject(properties) ? Object.entries(properties) : [];
  const names = declared.map(([name]) => name);
  const requiredNames = Array.isArray(required) ? required : [];
  if (requiredNames.some((name) => !names.includes(name))) return undefined;
  const converted = declared.map(([name, property]): [string, JsonObject | undefined] => {
    const strict = convert(property, options);
    if (strict === undefined || requiredNames.includes(name)) return [name, strict];
    return [name, options.optional === "nullable" ? withNull(strict) : undefined];
  });
  if (converted.some(([, property]) => property === undefined)) return undefined;
  return { properties: Object.fromEntries(converted), required: names, additionalProperties: false };
}

function convertArray({ items }: JsonObject, options: StrictOptions): JsonObject | undefined {
  const converted = convert(items, options);
  return converted === undefined ? undefined : { items: converted };
}

function convertScalars(schema: JsonObject): JsonObject {
  const kept = Object.entries(schema).filter(([keyword, value]) => isKept(keyword, value));
  const told = TOLD_KEYWORDS.filter((keyword) =>
    schema[keyword] !== undefined && !isKept(keyword, schema[keyword])
  );
  if (told.length === 0) return Object.fromEntries(kept);
  const notes = told.map((keyword) => `${keyword}: ${JSON.stringify(schema[keyword])}`).join(", ");
  const { description } = schema;
  const described = typeof description === "string" ? `${description}\n\n(${notes})` : `(${notes})`;
  return { ...Object.fromEntries(kept), description: described };
}

function isKept(keyword: string, value: unknown): boolean {
  if (keyword === "format") return KEPT_FORMATS.includes(value);
  if (keyword === "pattern") return typeof value === "string" && !UNFIT_PATTERN.test(value);
  return KEPT_KEYWORDS.has(keyword);
}

/** Adds `null` to the values of a schema. */
function withNull(schema: JsonObject): JsonObject {
  const { type, anyOf, enum: values } = schema;
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (types.includes("null")) return schema;
  if (Array.isArray(anyOf)) {
    const hasNull = anyOf.some((one) => isObject(one) && one.type === "null");
    return hasNull ? schema : { ...schema, anyOf: [...anyOf, { type: "null" }] };
  }
  if (types.length === 0 || schema.const !== undefined) return { anyOf: [schema, { type: "null" }] };
  return {
    ...schema,
    type: [...types, "null"],
    ...(Array.isArray(values) && !values.includes(null) && { enum: [...values, null] }),
  };
}
