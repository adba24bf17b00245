import { isObject, type JsonObject, tryJson } from "../base/json.ts";

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
export function coerce(value: unknown, schema: unknown, root: JsonObject, depth = 0): unknown {
  if (depth > MAX_DEPTH) return value;
  const allowed = allowedTypes(schema, root);
  if (allowed === undefined) return value;
  if (!allowed.some((kind) => fits(value, kind.type))) {
    const converted = convertType(value, allowed, root);
    return converted === undefined ? value : coerce(converted, schema, root, depth + 1);
  }
  // If several schemas fit, it is unknown which one applies.
  const [kind, another] = allowed.filter(({ type }) => fits(value, type));
  return kind && another === undefined ? coerceInside(value, kind.schema, root, depth + 1) : value;
}

/** Returns the types that a schema allows, each with the schema that declares it; `undefined` if it allows any type. */
export function allowedTypes(
  schema: unknown,
  root: JsonObject,
  seen: Set<string> = new Set(),
): AllowedType[] | undefined {
  if (!isObject(schema)) return undefined;
  const { $ref, type, anyOf, oneOf } = schema;
  if (typeof $ref === "string") {
    // References may be circular. A reference that was already followed adds no types.
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

/** A JSON Schema type, and the schema that declares it. */
export interface AllowedType {
  type: string;
  schema: JsonObject;
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

/**
 * Returns false for a number whose value changes when it is parsed: an integer outside the safe range, or an overflow.
 * Such a number stays a string.
 */
function isExact(parsed: unknown, text: string): boolean {
  return typeof parsed !== "number" || Number.isSafeInteger(parsed) ||
    (Number.isFinite(parsed) && /[.e]/i.test(text));
}

/** Returns a list of one item if the schema allows only a list of such items (or `null`), else `undefined`. */
function wrapInArray(value: unknown, allowed: readonly AllowedType[], root: JsonObject): unknown {
  const [kind, another] = allowed.filter(({ type }) => type !== "null");
  if (kind?.type !== "array" || another !== undefined || value === null) return undefined;
  const items = allowedTypes(kind.schema.items, root);
  if (!items?.some(({ type }) => fits(value, type))) return undefined;
  // A string that is blank or may itself be a list is ambiguous.
  return typeof value === "string" && /^\s*$|^\s*[[{]|[,;\n]/.test(value) ? undefined : [value];
}

function coerceInside(value: unknown, schema: JsonObject, root: JsonObject, depth: number): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => coerce(item, schema.items, root, depth));
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  if (!isObject(value) || !isObject(schema.properties)) return value;
  const { properties } = schema;
  const given = Object.entries(value);
  const kept = given.filter(([name, member]) => member !== null || !isLeftOutIfNull(name, schema, root));
  const members = kept.map(([name, member]): [string, unknown] => [
    name,
    Object.hasOwn(properties, name) ? coerce(member, properties[name], root, depth) : member,
  ]);
  const isSame = kept.length === given.length && members.every(([name, member]) => member === value[name]);
  return isSame ? value : Object.fromEntries(members);
}

/** True for an optional member of an object schema that does not allow `null`. */
export function isLeftOutIfNull(
  name: string,
  { properties, required }: JsonObject,
  root: JsonObject,
): boolean {
  if (!isObject(properties) || !Object.hasOwn(properties, name)) return false;
  if (Array.isArray(required) && required.includes(name)) return false;
  const schema = properties[name];
  if (isObject(schema) && Array.isArray(schema.enum) && schema.enum.includes(null)) return false;
  const allowed = allowedTypes(schema, root) ?? [];
  return allowed.length > 0 && allowed.every(({ type }) => type !== "null");
}

/** Resolves a reference within the schema. Returns `undefined` for any other reference. */
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

/** Maximum depth of conversion. Real arguments are not nested deeper, but a model may repeat brackets without end. */
const MAX_DEPTH = 64;
