import type { MessagesRequest } from "../../anthropic/schema.ts";

/** The output format of a request, which has a JSON Schema, and its path in the request. */
export interface OutputFormat {
  path: "output_config.format" | "output_format";
  schema: NonNullable<MessagesRequest["output_format"]>["schema"];
}

/** Returns the output format of a request; undefined if it requests no schema. */
export function findOutputFormat(
  { output_config, output_format }: MessagesRequest,
): OutputFormat | undefined {
  const format = output_config?.format ?? output_format;
  if (format?.type !== "json_schema") return undefined;
  return { path: output_config?.format ? "output_config.format" : "output_format", schema: format.schema };
}
