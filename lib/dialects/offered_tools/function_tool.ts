import type { CustomTool } from "../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import { isApproximated } from "../../json_schema/output/strict.ts";
import type { LossReport } from "../loss.ts";
import { describeTool } from "./describe_tool.ts";
import type { ToolNames } from "./tool_names.ts";

/** A tool in the form of OpenAI's APIs. */
export interface FunctionTool {
  name: string;
  description?: string;
  parameters: JsonObject;
  strict: boolean;
}

/** Options of {@linkcode toFunction}. */
export interface FunctionOptions {
  /** Path of the tool in the client's request. */
  path: string;
  names: ToolNames;
  loss: LossReport;
  /** Schema of the input, if it is another than the tool's. */
  schema?: JsonObject;
  /** Returns a schema for strict mode; `undefined` if the schema does not fit, or the host has no strict mode. */
  toStrict(parameters: JsonObject): JsonObject | undefined;
}

/** Converts a tool to a function. Reports a strict mode that is not available, and keywords that it does not have. */
export function toFunction(
  tool: CustomTool,
  { path, names, loss, schema = tool.input_schema, toStrict }: FunctionOptions,
): FunctionTool {
  // OpenAI rejects an object without `properties`, although it means the same.
  const parameters = isObject(schema.properties) ? schema : { ...schema, properties: {} };
  const strict = tool.strict ? toStrict(parameters) : undefined;
  if (tool.strict && strict === undefined) loss.add(`${path}.strict`, "dropped");
  if (strict !== undefined && isApproximated(parameters, strict)) {
    loss.add(`${path}.input_schema`, "approximated");
  }
  const description = describeTool(tool, path, loss);
  return {
    name: names.rename(tool.name, () => `${path}.name`, loss),
    ...(description && { description }),
    parameters: strict ?? parameters,
    strict: strict !== undefined,
  };
}
