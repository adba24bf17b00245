import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { ChatContext, HostContext } from "../chat.ts";
import { cleanSchema } from "./clean_schema.ts";
import { canForceTool } from "./forced_choice.ts";

/** How an answer is held to the schema that the client wants. */
export interface OutputFormat {
  /** By the host's own means, by a tool whose arguments are the answer, or by words alone. */
  method: "schema" | "tool" | "words";
  /** Where the client wants it. */
  path: string;
  schema: JsonObject;
  /** The name of the tool, where it is one. */
  tool?: string | undefined;
}

/** The tool whose arguments are the answer; another name where the client has a tool of this one. */
const ANSWER_NAME = "answer";

/** Finds how the answer to a request can be held to a schema; nothing where the client wants none. */
export function findOutputFormat(
  request: MessagesRequest,
  { features, facts }: HostContext,
): OutputFormat | undefined {
  const { output_config, output_format } = request;
  const format = output_config?.format ?? output_format;
  const schema = format?.schema;
  if (format?.type !== "json_schema" || schema === undefined) return undefined;
  const path = output_config?.format ? "output_config.format" : "output_format";
  const supports = (parameter: string) => facts.parameters?.has(parameter) ?? true;
  if (features.format === "json_schema" && supports("structured_outputs")) {
    return { method: "schema", path, schema };
  }
  if (supports("tools") && canForceTool({ features, facts })) {
    return { method: "tool", path, schema, tool: unusedToolName(request) };
  }
  return { method: "words", path, schema };
}

/** Says it in the host's words: `response_format`, or nothing where the schema is said otherwise. */
export function toResponseFormat(request: MessagesRequest, context: ChatContext): JsonObject {
  const { features, facts, loss } = context;
  const format = findOutputFormat(request, context);
  const requested = request.output_config?.format ?? request.output_format;
  if (format === undefined) {
    if (requested) {
      loss.add(request.output_config?.format ? "output_config.format" : "output_format", "dropped");
    }
    return {};
  }
  if (format.method === "schema") {
    const schema = cleanSchema(format.schema, features);
    if (schema !== format.schema) loss.add(`${format.path}.schema`, "approximated");
    const json_schema = { name: ANSWER_NAME, strict: true, schema };
    return { response_format: { type: "json_schema", json_schema } };
  }
  loss.add(format.path, "approximated");
  const sendsJsonObject = format.method === "words" && features.format !== "none" &&
    (facts.parameters?.has("response_format") ?? true);
  return sendsJsonObject ? { response_format: { type: "json_object" } } : {};
}

/** The words that stand for a schema where nothing else can: an instruction at the end of the system prompt. */
export function toFormatInstruction(format: OutputFormat | undefined): string | undefined {
  if (format?.method !== "words") return undefined;
  return `Answer with one JSON object and nothing else. It must be valid under this JSON Schema: ${
    JSON.stringify(format.schema)
  }`;
}

/** A tool whose arguments are the answer. */
export interface FormatTool extends JsonObject {
  type: "function";
  function: { name: string; description: string; parameters: JsonObject };
}

/** Says it as a tool for the model to call, where that is how. */
export function toFormatTool(format: OutputFormat | undefined): FormatTool | undefined {
  if (format?.tool === undefined) return undefined;
  const description = "Gives the final answer. Call it once, when everything else is done.";
  return { type: "function", function: { name: format.tool, description, parameters: format.schema } };
}

function unusedToolName({ tools }: MessagesRequest): string {
  let name = ANSWER_NAME;
  while (tools?.some((tool) => tool.name === name)) name += "_";
  return name;
}
