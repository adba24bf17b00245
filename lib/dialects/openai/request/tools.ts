import type { CustomTool, MessagesRequest, ToolChoice } from "../../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import { cacheControlOf, type ChatContext } from "../chat.ts";
import { canForceTool } from "./forced_choice.ts";
import { findOutputFormat, type FormatTool, toFormatTool } from "./format.ts";
import { toFunction } from "../../offered_tools/function_tool.ts";
import { fitStrictSchema } from "./strict_schema.ts";
import { offerReported } from "../../offered_tools/offer_tools.ts";

/** Returns the fields `tools`, `tool_choice` and `parallel_tool_calls` of the request. */
export function toTools(request: MessagesRequest, context: ChatContext): JsonObject {
  const { loss } = context;
  const offered = offerReported(request, loss);
  const names = new Set(offered.map(({ tool }) => tool.name));
  const tools = offered.map(({ tool, path }) => toFunctionTool(tool, path, context));
  const choice = request.tool_choice;
  if (choice && tools.length === 0) loss.add("tool_choice", "dropped");
  const chosen = choice && tools.length > 0 ? toToolChoice(choice, names, context) : {};
  const answerTool = toFormatTool(findOutputFormat(request, context));
  if (answerTool === undefined) return tools.length === 0 ? {} : { tools, ...chosen };
  return {
    ...chosen,
    tools: [...tools, answerTool],
    tool_choice: toAnswerChoice(answerTool, chosen, tools.length > 0),
  };
}

/** Returns the tool choice that makes the model submit its answer through the answer tool, after any other calls. */
function toAnswerChoice(
  { function: { name } }: FormatTool,
  { tool_choice: chosen }: JsonObject,
  hasTools: boolean,
): unknown {
  if (isObject(chosen)) return chosen; // the client forces one of its tools
  return hasTools && chosen !== "none" ? "required" : { type: "function", function: { name } };
}

function toFunctionTool(tool: CustomTool, path: string, context: ChatContext): JsonObject {
  const { features, loss, names } = context;
  if (tool.cache_control && !features.cacheControl) loss.add(`${path}.cache_control`, "dropped");
  // Optional parameters do not fit strict mode: `null` is no argument.
  const toStrict = (parameters: JsonObject) =>
    enforcesSchemas(context)
      ? fitStrictSchema(parameters, features.strictSchemas, { optional: "unfit" })
      : undefined;
  const { strict, ...converted } = toFunction(tool, { path, names, loss, toStrict });
  return {
    type: "function",
    function: { ...converted, ...(strict && { strict }) },
    ...cacheControlOf(tool, context),
  };
}

/** True if host and model can enforce a schema. */
function enforcesSchemas({ features, facts }: ChatContext): boolean {
  return features.format === "json_schema" && (facts.parameters?.has("structured_outputs") ?? true);
}

function toToolChoice(choice: ToolChoice, names: ReadonlySet<string>, context: ChatContext): JsonObject {
  const { features, facts, loss } = context;
  const supports = (parameter: string) => facts.parameters?.has(parameter) ?? true;
  const disablesParallel = "disable_parallel_tool_use" in choice && choice.disable_parallel_tool_use === true;
  // OpenRouter's list omits `parallel_tool_calls` even for models that support it, and other models ignore it.
  const parallel = features.parallelToolCalls && supports("tools");
  if (disablesParallel && !parallel) loss.add("tool_choice.disable_parallel_tool_use", "dropped");
  const translated = translateChoice(choice, names, context);
  const isSent = translated !== undefined && supports("tool_choice");
  if (choice.type !== "auto" && (!isSent || translated === "auto")) {
    loss.add("tool_choice", isSent ? "approximated" : "dropped");
  }
  return {
    ...(isSent && { tool_choice: translated }),
    ...(disablesParallel && parallel && { parallel_tool_calls: false }),
  };
}

function translateChoice(choice: ToolChoice, toolNames: ReadonlySet<string>, context: ChatContext): unknown {
  switch (choice.type) {
    case "auto":
      return "auto";
    case "any":
      return canForceTool(context) ? "required" : "auto";
    case "none":
      return context.features.toolChoices.includes("none") ? "none" : undefined;
    case "tool": {
      // Hosts reject the choice of a tool that is not in `tools`, such as one that the gateway would have to run.
      if (!toolNames.has(choice.name)) return undefined;
      if (!canForceTool(context)) return "auto";
      const name = context.names.rename(choice.name, () => "tool_choice.name", context.loss);
      return { type: "function", function: { name } };
    }
    default:
      return undefined;
  }
}
