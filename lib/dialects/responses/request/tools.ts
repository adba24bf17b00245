import type { CustomTool, MessagesRequest, ToolChoice } from "../../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import { findChange } from "../../adjustments/adjustment.ts";
import { toFunction } from "../../offered_tools/function_tool.ts";
import { offerReported } from "../../offered_tools/offer_tools.ts";
import type { ResponsesContext } from "../responses.ts";
import { reportUnmarked } from "./cache.ts";
import { toStrictSchema } from "../../../json_schema/output/strict.ts";

/** Returns the fields `tools`, `tool_choice` and `parallel_tool_calls` of the request. */
export function toTools(request: MessagesRequest, context: ResponsesContext): JsonObject {
  const { loss } = context;
  const offered = offerReported(request, loss);
  const names = new Set(offered.map(({ tool }) => tool.name));
  const tools = offered.map(({ tool, path }) => toFunctionTool(tool, path, context));
  const choice = request.tool_choice;
  if (tools.length > 0) return { tools, ...(choice && toToolChoice(choice, names, context)) };
  if (choice) loss.add("tool_choice", "dropped");
  return {};
}

/** Converts a tool. `strict` is always sent: its default is true, which makes all parameters required. */
function toFunctionTool(tool: CustomTool, path: string, context: ResponsesContext): JsonObject {
  const { adjustments, features, loss, names } = context;
  reportUnmarked(tool, path, context);
  const schema = features.plainToolSchemas ? toPlainSchema(tool.input_schema) : tool.input_schema;
  if (schema !== tool.input_schema) loss.add(`${path}.input_schema`, "approximated");
  const isRefused = findChange(adjustments, "drop_strict") !== undefined;
  // Optional parameters do not fit strict mode: `null` is no argument.
  const toStrict = (parameters: JsonObject) =>
    isRefused
      ? undefined
      : features.strictSubset
      ? toStrictSchema(parameters, { optional: "unfit" })
      : parameters;
  return { type: "function", ...toFunction(tool, { path, names, loss, schema, toStrict }) };
}

/** Keywords that OpenAI rejects at the top level of a tool's schema. */
const COMBINING_KEYWORDS = ["anyOf", "oneOf", "allOf", "not", "enum"];

/** Removes the combining keywords at the top level of a schema. Keeps the properties that their schemas declare. */
function toPlainSchema(schema: CustomTool["input_schema"]): CustomTool["input_schema"] {
  if (!COMBINING_KEYWORDS.some((keyword) => keyword in schema)) return schema;
  const branches = [schema.anyOf, schema.oneOf, schema.allOf].flatMap((branch) =>
    Array.isArray(branch) ? branch : []
  );
  const properties = [...branches, schema].flatMap((branch: unknown) =>
    isObject(branch) && isObject(branch.properties) ? Object.entries(branch.properties) : []
  );
  const kept = Object.entries(schema).filter(([keyword]) => !COMBINING_KEYWORDS.includes(keyword));
  return { ...Object.fromEntries(kept), type: schema.type, properties: Object.fromEntries(properties) };
}

function toToolChoice(
  choice: ToolChoice,
  toolNames: ReadonlySet<string>,
  context: ResponsesContext,
): JsonObject {
  const { features, facts, loss } = context;
  const supportsChoice = choice.type === "auto" ||
    (features.toolChoice && (facts.parameters?.has("tool_choice") ?? true));
  const translated = supportsChoice ? translateChoice(choice, toolNames, context) : undefined;
  if (translated === undefined) {
    loss.add("tool_choice", "dropped");
    return {};
  }
  const disablesParallel = "disable_parallel_tool_use" in choice && choice.disable_parallel_tool_use === true;
  return { tool_choice: translated, ...(disablesParallel && { parallel_tool_calls: false }) };
}

function translateChoice(
  choice: ToolChoice,
  toolNames: ReadonlySet<string>,
  { names, loss }: ResponsesContext,
): unknown {
  switch (choice.type) {
    case "auto":
    case "none":
      return choice.type;
    case "any":
      return "required";
    case "tool":
      // Hosts reject the choice of a tool that is not in `tools`, such as one that the gateway would have to run.
      return toolNames.has(choice.name)
        ? { type: "function", name: names.rename(choice.name, () => "tool_choice.name", loss) }
        : undefined;
    default:
      return undefined;
  }
}
