import { isObject } from "../../../base/json.ts";
import type { ChatFeatures } from "../chat.ts";

/**
 * True if a host can enforce a schema strictly.
 *
 * OpenAI requires that every object is closed and that every property is required. Anthropic does not.
 * Source: https://platform.openai.com/docs/guides/structured-outputs
 *
 * @example Usage
 * ```ts
 * import { canBeStrict } from "./strict_schema.ts";
 *
 * const schema = { type: "object", properties: { nick: { type: "string" } }, additionalProperties: false };
 * if (canBeStrict(schema, "closed")) throw new Error("the property is optional");
 * ```
 */
export function canBeStrict(schema: unknown, rule: ChatFeatures["strictSchemas"]): boolean {
  return rule === "any" || (rule === "closed" && isClosed(schema));
}

/** True if all objects of a schema, at any depth, have only required properties. */
function isClosed(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isClosed);
  if (!isObject(schema)) return true;
  const { type, properties, required, additionalProperties, enum: _values, const: _only, ...rest } = schema;
  const describesObject = properties !== undefined || type === "object" ||
    (Array.isArray(type) && type.includes("object"));
  if (describesObject) {
    const names = isObject(properties) ? Object.keys(properties) : [];
    const all = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every((name) => all.includes(name))) return false;
  }
  if (rest.patternProperties !== undefined || rest.allOf !== undefined || rest.oneOf !== undefined) {
    return false;
  }
  return (isObject(properties) ? Object.values(properties) : []).every(isClosed) &&
    Object.values(rest).every(isClosed);
}
