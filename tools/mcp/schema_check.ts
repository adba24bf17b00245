import { isObject } from "./json.ts";

/**
 * Keywords whose value is one schema, a list of schemas, or schemas by name. Source: JSON Schema 2020-12 and draft 7
 */
const KEYWORDS: Record<string, "one" | "one or list" | "list" | "by name"> = {
  properties: "by name",
  patternProperties: "by name",
  dependentSchemas: "by name",
  $defs: "by name",
  definitions: "by name",
  items: "one or list",
  prefixItems: "list",
  anyOf: "list",
  allOf: "list",
  oneOf: "list",
  additionalProperties: "one",
  additionalItems: "one",
  unevaluatedProperties: "one",
  unevaluatedItems: "one",
  propertyNames: "one",
  contains: "one",
  not: "one",
  if: "one",
  then: "one",
  else: "one",
};

const TYPES: readonly unknown[] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/** Maximum nesting of a schema. Hosts reject deeper ones. */
const MAX_DEPTH = 64;

/**
 * Returns the reason why a schema cannot be that of a tool's input; undefined if it can.
 *
 * One schema with a wrong form makes an upstream reject the whole request. Keywords that do not decide the form, such
 * as `pattern`, are not looked at.
 */
export function checkInputSchema(schema: unknown): string | undefined {
  if (!isObject(schema)) return "its input schema is not an object";
  if (schema.type !== undefined && schema.type !== "object") {
    return 'the type of its input schema is not "object"';
  }
  return checkSchema(schema, "", 0);
}

function checkSchema(schema: unknown, path: string, depth: number): string | undefined {
  if (typeof schema === "boolean") return undefined;
  if (!isObject(schema)) return `${shorten(path)} of its input schema is not a schema`;
  if (depth > MAX_DEPTH) return "its input schema is nested too deeply";
  const { type, required, enum: values } = schema;
  if (type !== undefined && !(Array.isArray(type) ? type : [type]).every((word) => TYPES.includes(word))) {
    return `${shorten(`${path}.type`)} of its input schema is not a type`;
  }
  if (
    required !== undefined && !(Array.isArray(required) && required.every((name) => typeof name === "string"))
  ) {
    return `${shorten(`${path}.required`)} of its input schema is not a list of names`;
  }
  if (values !== undefined && !Array.isArray(values)) {
    return `${shorten(`${path}.enum`)} of its input schema is not a list`;
  }
  for (const [keyword, form] of Object.entries(KEYWORDS)) {
    if (!Object.hasOwn(schema, keyword)) continue;
    const value = schema[keyword];
    const place = `${path}.${keyword}`;
    const isList = Array.isArray(value);
    if (form === "list" && !isList) return `${shorten(place)} of its input schema is not a list`;
    if (form === "by name" && !isObject(value)) {
      return `${shorten(place)} of its input schema is not an object`;
    }
    const isOne = form === "one" || (form === "one or list" && !isList);
    const children: [string, unknown][] = isOne
      ? [[place, value]]
      : Object.entries(Object(value)).map(([key, child]) => [`${place}.${key}`, child]);
    for (const [childPath, child] of children) {
      const complaint = checkSchema(child, childPath, depth + 1);
      if (complaint !== undefined) return complaint;
    }
  }
  return undefined;
}

/** Shortens a path, without the dot at its beginning. */
function shorten(path: string): string {
  return path.length > 100 ? `${path.slice(1, 100)}…` : path.slice(1);
}
