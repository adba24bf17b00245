import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { ChatContext, HostContext } from "../chat.ts";
import { fitStrictSchema } from "./strict_schema.ts";
import { formatInstruction, requestedFormat } from "../../request/output_format.ts";
import { canForceTool } from "./forced_choice.ts";

/** The client's schema for the answer, and the method that enforces it. */
export interface OutputFormat {
  /** `response_format`, a tool whose arguments are the answer, or an instruction in the system prompt. */
  method: "schema" | "tool" | "instruction";
  /** Path of the format in the client's request. */
  path: string;
  schema: JsonObject;
  /** Name of the answer tool, for the method `tool`. */
  tool?: string | undefined;
}

/** Name of the schema and of the answer tool. The tool gets another name if the client has a tool of this name. */
const ANSWER_NAME = "answer";

/** Returns the schema for the answer and the method that enforces it, or undefined if the client sent no schema. */
export function findOutputFormat(
  request: MessagesRequest,
  { features, facts }: HostContext,
): OutputFormat | undefined {
  const { path, schema } = requestedFormat(request) ?? {};
  if (path === undefined || schema === undefined) return undefined;
  const supports = (parameter: string) => facts.parameters?.has(parameter) ?? true;
  if (features.format === "json_schema" && supports("structured_outputs")) {
    return { method: "schema", path, schema };
  }
  if (supports("tools") && canForceTool({ features, facts })) {
    return { method: "tool", path, schema, tool: unusedToolName(request) };
  }
  return { method: "instruction", path, schema };
}

/** Returns the field `response_format`, or `{}` if a tool or an instruction alone enforces the schema. */
export function toResponseFormat(request: MessagesRequest, context: ChatContext): JsonObject {
  const { features, facts, loss } = context;
  const format = findOutputFormat(request, context);
  if (format === undefined) {
    const requested = requestedFormat(request);
    if (requested) loss.add(requested.path, "dropped");
    return {};
  }
  if (format.method === "schema") {
    const { schema } = format;
    const optional = context.restoresNulls ? "nullable" : "unfit";
    const fitted = fitStrictSchema(schema, features.strictSchemas, { optional });
    // Without strict mode, the host does not enforce the schema. The gateway checks the answer in any case.
    const json_schema = { name: ANSWER_NAME, strict: fitted !== undefined, schema: fitted ?? schema };
    return { response_format: { type: "json_schema", json_schema } };
  }
  loss.add(format.path, "approximated");
  const sendsJsonObject = format.method === "instruction" && features.format !== "none" &&
    (facts.parameters?.has("response_format") ?? true);
  return sendsJsonObject ? { response_format: { type: "json_object" } } : {};
}

/** Returns the instruction for the end of the system prompt, or undefined if another method enforces the schema. */
export function toFormatInstruction(format: OutputFormat | undefined): string | undefined {
  return format?.method === "instruction" ? formatInstruction(format.schema) : undefined;
}

/** A tool whose arguments are the answer. */
export interface FormatTool extends JsonObject {
  type: "function";
  function: { name: string; description: string; parameters: JsonObject };
}

/** Returns the answer tool, or undefined if another method enforces the schema. */
export function toFormatTool(format: OutputFormat | undefined): FormatTool | undefined {
  if (format?.tool === undefined) return undefined;
  const description = "Submits the final answer. Call it once, when everything else is done.";
  return { type: "function", function: { name: format.tool, description, parameters: format.schema } };
}

function unusedToolName({ tools }: MessagesRequest): string {
  let name = ANSWER_NAME;
  while (tools?.some((tool) => tool.name === name)) name += "_";
  return name;
}
