import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { findChange } from "../../adjustments/adjustment.ts";
import type { ResponsesContext } from "../responses.ts";
import { toStrictSchema } from "../../../json_schema/output/strict.ts";

/**
 * Returns the field `text` with the schema of the answer, or `{}` if the client sent none.
 *
 * A schema that does not fit strict mode is sent as not strict. The gateway checks the answer in any case.
 */
export function toTextFormat(request: MessagesRequest, context: ResponsesContext): JsonObject {
  const { adjustments, features, loss, restoresNulls } = context;
  const { output_config, output_format } = request;
  const format = output_config?.format ?? output_format;
  if (!format) return {};
  const path = output_config?.format ? "output_config.format" : "output_format";
  const { type, schema } = format;
  if (type !== "json_schema" || schema === undefined) {
    loss.add(path, "dropped");
    return {};
  }
  const optional = restoresNulls ? "nullable" : "unfit";
  const fitted = features.strictSubset ? toStrictSchema(schema, { optional }) : schema;
  const strict = fitted !== undefined && findChange(adjustments, "drop_strict") === undefined;
  if (fitted !== undefined && !strict) loss.add(`${path}.schema`, "approximated");
  return {
    text: { format: { type: "json_schema", name: "answer", schema: strict ? fitted : schema, strict } },
  };
}
