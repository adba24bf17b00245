import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../base/json.ts";

/** The format of the answer that a request demands. */
export interface RequestedFormat {
  /** Path of the format in the client's request. */
  path: "output_config.format" | "output_format";
  /** JSON Schema of the answer; `undefined` for a format of another kind. */
  schema: JsonObject | undefined;
}

/** Returns the format of the answer, from the field or its older name; `undefined` if the request has none. */
export function requestedFormat(
  { output_config, output_format }: MessagesRequest,
): RequestedFormat | undefined {
  const format = output_config?.format ?? output_format;
  if (!format) return undefined;
  return {
    path: output_config?.format ? "output_config.format" : "output_format",
    schema: format.type === "json_schema" ? format.schema : undefined,
  };
}

/** Returns the instruction for the end of the system prompt of a host that enforces no schema. */
export function formatInstruction(schema: JsonObject): string {
  return `Answer with one JSON object and nothing else. It must be valid under this JSON Schema: ${
    JSON.stringify(schema)
  }`;
}
