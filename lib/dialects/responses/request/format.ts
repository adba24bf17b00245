import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { toStrictSchema } from "../../../json_schema/output/strict.ts";
import { findChange } from "../../adjustments/adjustment.ts";
import { formatInstruction, requestedFormat } from "../../request/output_format.ts";
import type { ResponsesContext } from "../responses.ts";

/**
 * Returns the field `text` with the schema of the answer, or `{}` if the client sent none.
 *
 * A schema that does not fit strict mode is sent as not strict. The gateway checks the answer in any case.
 */
export function toTextFormat(request: MessagesRequest, context: ResponsesContext): JsonObject {
  const { adjustments, features, loss, restoresNulls } = context;
  const { path, schema } = requestedFormat(request) ?? {};
  if (path === undefined) return {};
  if (schema === undefined) {
    loss.add(path, "dropped");
    return {};
  }
  if (isFormatRefused(context)) {
    loss.add(path, "approximated");
    return {};
  }
  const optional = restoresNulls ? "nullable" : "unfit";
  const fitted = features.strictSubset ? toStrictSchema(schema, { optional }) : schema;
  const strict = fitted !== undefined && findChange(adjustments, "drop_strict") === undefined;
  const sent = strict ? fitted : schema;
  return { text: { format: { type: "json_schema", name: "answer", schema: sent, strict } } };
}

/** Returns the instruction that replaces the field `text` for a host that refuses it; `undefined` for any other. */
export function toFormatInstruction(
  request: MessagesRequest,
  context: ResponsesContext,
): string | undefined {
  const schema = requestedFormat(request)?.schema;
  return schema !== undefined && isFormatRefused(context) ? formatInstruction(schema) : undefined;
}

function isFormatRefused({ adjustments }: ResponsesContext): boolean {
  return findChange(adjustments, "drop_response_format") !== undefined;
}
