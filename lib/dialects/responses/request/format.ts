import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { findChange } from "../../adjustments/adjustment.ts";
import type { ResponsesContext } from "../responses.ts";
import { canBeStrict } from "./strict_schema.ts";

/**
 * Returns the field `text` with the schema of the answer, or `{}` if the client sent none.
 *
 * A schema that the host cannot enforce is sent as a recommendation, and reported.
 */
export function toTextFormat(request: MessagesRequest, { adjustments, loss }: ResponsesContext): JsonObject {
  const { output_config, output_format } = request;
  const format = output_config?.format ?? output_format;
  if (!format) return {};
  const path = output_config?.format ? "output_config.format" : "output_format";
  const { type, schema } = format;
  if (type !== "json_schema" || schema === undefined) {
    loss.add(path, "dropped");
    return {};
  }
  const strict = findChange(adjustments, "drop_strict") === undefined && canBeStrict(schema);
  if (!strict) loss.add(`${path}.schema`, "approximated");
  return { text: { format: { type: "json_schema", name: "answer", schema, strict } } };
}
