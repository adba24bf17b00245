import type { JsonObject } from "../../../base/json.ts";
import { type StrictOptions, toStrictSchema } from "../../../json_schema/output/strict.ts";
import type { ChatFeatures } from "../chat.ts";

/**
 * Returns a schema that the host can enforce strictly; undefined if there is none.
 *
 * @example Usage
 * ```ts
 * import { fitStrictSchema } from "./strict_schema.ts";
 *
 * const schema = { type: "object", properties: { nick: { type: "string" } }, additionalProperties: false };
 * const fitted = fitStrictSchema(schema, "subset", { optional: "unfit" });
 * if (fitted !== undefined) throw new Error("the property is optional");
 * ```
 */
export function fitStrictSchema(
  schema: JsonObject,
  accepted: ChatFeatures["strictSchemas"],
  options: StrictOptions,
): JsonObject | undefined {
  switch (accepted) {
    case "any":
      return schema;
    case "subset":
      return toStrictSchema(schema, options);
    case "none":
      return undefined;
  }
}
