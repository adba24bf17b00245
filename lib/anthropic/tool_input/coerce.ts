import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import { findExcess } from "../../base/json_bounds.ts";
import { type AllowedTypes, SchemaTypes } from "../schema_types.ts";

/**
 * Converts a value to the type that its JSON Schema requires, if only one conversion is possible.
 *
 * Examples: a list written as a string, a number in quotes, a single item instead of a list. A member that is `null` is
 * left out if its schema does not allow `null` and it is not required. Any other value is returned unchanged, as the
 * same object.
 *
 * @example Usage
 * ```ts
 * import { coerce } from "./coerce.ts";
 *
 * const schema = { type: "array", items: { type: "object" } };
 * if (JSON.stringify(coerce('[{"a":1}]', schema, schema)) !== '[{"a":1}]') throw new Error("still a string");
 * ```
 */
export function coerce(value: unknown, schema: unknown, root: JsonObject): unknown {
  return coerceTo(value, schema, { types: SchemaTypes.of(root), depth: 0 });
}

/** Position in a value. */
interface Position {
  types: SchemaTypes;
  depth: number;
}

function coerceTo(value: unknown, schema: unknown, at: Position): unknown {
  if (at.depth > MAX_DEPTH) return value;
  const inner = { ...at, depth: at.depth + 1 };
  const allowed = at.types.read(schema);
  if (allowed === undefined) return value;
  if (!accepts(allowed, value)) {
    const converted = convertType(value, allowed, at.types);
    return converted === undefined ? value : coerceTo(converted, schema, inner);
  }
  // If several schemas fit, it is unknown which one applies.
  const only = allowed.get(Array.isArray(value) ? "array" : "object");
  return only === undefined ? value : coerceInside(value, only, inner);
}

function accepts(allowed: AllowedTypes, value: unknown): boolean {
  for (const type of allowed.keys()) if (fits(value, type)) return true;
  return false;
}

/** Returns true if a value has a JSON Schema type. */
function fits(value: unknown, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "null":
      return value === null;
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    default:
      return false;
  }
}

/** Returns the only possible reading of a value of the wrong type, or `undefined`. */
function convertType(value: unknown, allowed: AllowedTypes, types: SchemaTypes): unknown {
  if (typeof value === "number") {
    if (accepts(allowed, "")) return String(value);
  } else if (typeof value === "string") {
    const text = /^\s*(true|false)\s*$/i.test(value) ? value.toLowerCase() : value;
    const parsed = findExcess(text) === undefined ? tryJson(text) : undefined;
    if (parsed !== undefined && accepts(allowed, parsed) && isExact(parsed, value)) return parsed;
  }
  return wrapInArray(value, allowed, types);
}

/**
 * Returns false for a number whose value changes when it is parsed: an integer outside the safe range, or an overflow.
 * Such a number stays a string.
 */
function isExact(parsed: unknown, text: string): boolean {
  return typeof parsed !== "number" || Number.isSafeInteger(parsed) ||
    (Number.isFinite(parsed) && /[.e]/i.test(text));
}

/** Returns a list of one item if the schema allows only a list of such items (or `null`), else `undefined`. */
function wrapInArray(value: unknown, allowed: AllowedTypes, types: SchemaTypes): unknown {
  const list = allowed.get("array");
  const others = allowed.size - (allowed.has("null") ? 1 : 0);
  if (list === undefined || others !== 1 || value === null) return undefined;
  const items = types.read(list.items);
  if (items === undefined || !accepts(items, value)) return undefined;
  // A string that is blank or may itself be a list is ambiguous.
  return typeof value === "string" && /^\s*$|^\s*[[{]|[,;\n]/.test(value) ? undefined : [value];
}

function coerceInside(value: unknown, schema: JsonObject, at: Position): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => coerceTo(item, schema.items, at));
    return items.every((item, nth) => item === value[nth]) ? value : items;
  }
  if (!isObject(value) || !isObject(schema.properties)) return value;
  const { properties } = schema;
  const given = Object.entries(value);
  const kept = given.filter(([name, member]) => member !== null || !at.types.isLeftOutIfNull(name, schema));
  const members = kept.map(([name, member]): [string, unknown] => [
    name,
    Object.hasOwn(properties, name) ? coerceTo(member, properties[name], at) : member,
  ]);
  const isSame = kept.length === given.length && members.every(([name, member]) => member === value[name]);
  return isSame ? value : Object.fromEntries(members);
}

/** Maximum depth of conversion. Real arguments are not nested deeper, but a model may repeat brackets without end. */
const MAX_DEPTH = 64;
