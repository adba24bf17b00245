import { isObject, type JsonObject } from "../../base/json.ts";
import { mapSubschemas } from "../map_subschemas.ts";

/** Name of the member that holds the value. */
const MEMBER = "value";
const SCHEMA_POINTER = `#/properties/${MEMBER}`;
/** JSON pointer to the value in its wrapper. */
export const WRAPPED_POINTER: string = `/${MEMBER}`;
/** Keywords that move to the wrapper. References to definitions stay as they are. */
const ROOT_KEYWORDS = ["$schema", "$defs", "definitions"];

/** Returns true if a schema describes an object at its root, as `response_format` and tools require. */
export function isObjectSchema({ type }: JsonObject): boolean {
  return type === "object";
}

/**
 * Returns the schema of an object whose member `value` is valid under the given schema.
 *
 * @example Usage
 * ```ts
 * import { unwrapValue, wrapSchema } from "./wrap.ts";
 *
 * const schema = wrapSchema({ type: "array", items: { type: "string" } });
 * if (schema.type !== "object" || unwrapValue({ value: ["a"] }) === undefined) throw new Error("not wrapped");
 * ```
 */
export function wrapSchema(schema: JsonObject): JsonObject {
  // Within a schema that has a URI, references are relative to it. Then all of it stays together.
  const isResource = typeof schema.$id === "string";
  const rootKeywords = isResource ? ["$schema"] : ROOT_KEYWORDS;
  const move = isResource ? (one: JsonObject) => one : movePointers;
  const pick = (atRoot: boolean) =>
    Object.fromEntries(
      Object.entries(schema).filter(([keyword]) => rootKeywords.includes(keyword) === atRoot),
    );
  return {
    ...move(pick(true)),
    type: "object",
    properties: { [MEMBER]: move(pick(false)) },
    required: [MEMBER],
    additionalProperties: false,
  };
}

/** Returns the wrapped value; `undefined` if a value is not wrapped. */
export function unwrapValue(value: unknown): unknown {
  return isObject(value) && Object.keys(value).length === 1 ? value[MEMBER] : undefined;
}

function movePointers(schema: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [
      keyword,
      keyword === "$ref" && typeof value === "string"
        ? movePointer(value)
        : mapSubschemas(keyword, value, movePointers),
    ]),
  );
}

function movePointer(reference: string): string {
  if (/^#\/(\$defs|definitions)\//.test(reference) || !/^#(\/|$)/.test(reference)) return reference;
  return SCHEMA_POINTER + reference.slice(1);
}
