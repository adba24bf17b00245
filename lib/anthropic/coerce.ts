import { isObject, type JsonObject, tryJson } from "../base/json.ts";

/**
 * Gives a value the type that a schema wants, where what was meant is beyond doubt: a list written as a string, a
 * number in quotes, one thing where a list of such things belongs. Everything else is given back as it is, the very
 * same value.
 *
 * @example Usage
 * ```ts
 * import { coerce } from "./coerce.ts";
 *
 * const schema = { type: "array", items: { type: "object" } };
 * if (JSON.stringify(coerce('[{"a":1}]', schema, schema)) !== '[{"a":1}]') throw new Error("still a string");
 * ```
 */
export function coerce(value: unknown, schema: unknown, root: JsonObject, depth = 0): unknown {
  if (depth > MAX_DEPTH) return value;
  const allowed = allowedTypes(schema, root);
  if (allowed === undefined) return value;
  if (!allowed.some((kind) => fits(value, kind.type))) {
    const converted = convertType(value, allowed, root);
    return converted === undefined ? value : coerce(converted, schema, root, depth + 1);
  }
  // Of several schemas that fit, nobody knows which one was followed.
  const [kind, another] = allowed.filter(({ type }) => fits(value, type));
  return kind && another === undefined ? coerceInside(value, kind.schema, root, depth + 1) : value;
}

/** The types that a schema allows, each with the schema that allows it; `undefined` where it allows anything. */
export function allowedTypes(
  schema: unknown,
  root: JsonObject,
  seen: Set<string> = new Set(),
): AllowedType[] | undefined {
  if (!isObject(schema)) return undefined;
  const { $ref, type, anyOf, oneOf } = schema;
  if (typeof $ref === "string") {
    // Schemas may refer to each other without end; a second look at one adds nothing.
    if (seen.has($ref)) return [];
    return allowedTypes(resolveReference($ref, root), root, seen.add($ref));
  }
  if (typeof type === "string") return [{ type, schema }];
  if (Array.isArray(type)) return type.map((one) => ({ type: String(one), schema }));
  const branches = anyOf ?? oneOf;
  if (!Array.isArray(branches)) return undefined;
  const allowed = branches.map((branch) => allowedTypes(branch, root, seen));
  return allowed.every((one) => one !== undefined) ? allowed.flat() : undefined;
}

/** A type of JSON Schema, and the schema that names it. */
export interface AllowedType {
  type: string;
  schema: JsonObject;
}

/** Tells whether a value is of a type of JSON Schema. */
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

/** What a value of the wrong type means, where only one thing can be meant. */
function convertType(value: unknown, allowed: readonly AllowedType[], root: JsonObject): unknown {
  const accepts = (one: unknown) => allowed.some(({ type }) => fits(one, type));
  if (typeof value === "number") {
    if (accepts("")) return String(value);
  } else if (typeof value === "string") {
    const parsed = tryJson(/^\s*(true|false)\s*$/i.test(value) ? value.toLowerCase() : value);
    if (parsed !== undefined && accepts(parsed) && isExact(parsed, value)) return parsed;
  }
  return wrapInArray(value, allowed, root);
}

/** A number that JavaScript cannot hold as it was written stays in its string. */
function isExact(parsed: unknown, text: string): boolean {
  return typeof parsed !== "number" || Number.isSafeInteger(parsed) ||
    (Number.isFinite(parsed) && /[.e]/i.test(text));
}

/** One thing where a list of such things, and nothing else, is wanted. */
function wrapInArray(value: unknown, allowed: readonly AllowedType[], root: JsonObject): unknown {
  const [kind, another] = allowed.filter(({ type }) => type !== "null");
  if (kind?.type !== "array" || another !== undefined || value === null) return undefined;
  const items = allowedTypes(kind.schema.items, root);
  if (!items?.some(({ type }) => fits(value, type))) return undefined;
  // A text that may be a list of its own says nothing certain.
  return typeof value === "string" && /^\s*$|^\s*[[{]|[,;\n]/.test(value) ? undefined : [value];
}

function coerceInside(value: unknown, schema: JsonObject, root: JsonObject, depth: number): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => coerce(item, schema.items, root, depth));
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  if (!isObject(value) || !isObject(schema.properties)) return value;
  const { properties } = schema;
  const members = Object.entries(value).map(([name, member]): [string, unknown] => [
    name,
    Object.hasOwn(properties, name) ? coerce(member, properties[name], root, depth) : member,
  ]);
  return members.every(([name, member]) => member === value[name]) ? value : Object.fromEntries(members);
}

/** Follows a reference inside of the schema; others are not followed. */
function resolveReference(reference: string, root: JsonObject): unknown {
  const [start, ...steps] = reference.split("/");
  if (start !== "#") return undefined;
  let found: unknown = root;
  for (const step of steps) {
    const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
    found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}

/** Nobody's arguments are nested deeper; a model that stutters brackets may be followed no further. */
const MAX_DEPTH = 64;
