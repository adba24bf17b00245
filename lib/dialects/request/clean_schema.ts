import type { JsonObject } from "../../base/json.ts";
import { mapSubschemas } from "../../json_schema/map_subschemas.ts";

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
 * const expected = '{"type":"object","properties":{"$schema":{"type":"string"}}}';
 * if (JSON.stringify(clean) !== expected) throw new Error("not cleaned");
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
    if (!rejectedKeywords.includes(keyword)) {
      return [[
        keyword,
        mapSubschemas(keyword, value, (one) => cleanObject(one, support)),
      ]];
    }
    // `const` is the same as an `enum` with one value.
    const choice = keyword === "const" && schema.enum === undefined && !rejectedKeywords.includes("enum");
    return choice ? [["enum", [value]]] : [];
  });
  const unchanged = kept.length === Object.keys(schema).length &&
    kept.every(([keyword, value]) => schema[keyword] === value);
  return unchanged ? schema : Object.fromEntries(kept);
}
