import type { CustomTool, MessagesRequest, ToolChoice } from "../../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import { type ChatContext, toCacheControl } from "../chat.ts";
import { cleanSchema } from "./clean_schema.ts";
import { canForce } from "./forced_choice.ts";
import { findFormat, type FormatTool, toFormatTool } from "./format.ts";
import { offerTools } from "../offer_tools.ts";

/** Says which tools the model may call, and how it must choose. */
export function toTools(request: MessagesRequest, context: ChatContext): JsonObject {
  const { loss } = context;
  const names = new Set<string>();
  const tools = offerTools(request).flatMap(({ path, tool, described }): JsonObject[] => {
    if (tool === undefined) {
      loss.add(path, "dropped");
      return [];
    }
    if (described) loss.add(path, "approximated");
    names.add(tool.name);
    return [toFunction(tool, path, context)];
  });
  const choice = request.tool_choice;
  if (choice && tools.length === 0) loss.add("tool_choice", "dropped");
  const chosen = choice && tools.length > 0 ? toToolChoice(choice, names, context) : {};
  const answer = toFormatTool(findFormat(request, context));
  if (answer === undefined) return tools.length === 0 ? {} : { tools, ...chosen };
  return {
    ...chosen,
    tools: [...tools, answer],
    tool_choice: toAnswerChoice(answer, chosen, tools.length > 0),
  };
}

/** Makes the model answer by the tool that stands for the answer's form, once it has called what else it needs. */
function toAnswerChoice(
  { function: { name } }: FormatTool,
  { tool_choice: chosen }: JsonObject,
  hasTools: boolean,
): unknown {
  if (isObject(chosen)) return chosen; // the client forces one of its own
  return hasTools && chosen !== "none" ? "required" : { type: "function", function: { name } };
}

function toFunction(tool: CustomTool, path: string, context: ChatContext): JsonObject {
  const { features, loss } = context;
  const { input_schema } = tool;
  const schema = cleanSchema(input_schema, features);
  if (schema !== input_schema) loss.add(`${path}.input_schema`, "approximated");
  if (tool.cache_control && !features.cacheControl) loss.add(`${path}.cache_control`, "dropped");
  const strict = tool.strict && canBeStrict(context);
  if (tool.strict && !strict) loss.add(`${path}.strict`, "dropped");
  const description = toDescription(tool, path, context);
  return {
    type: "function",
    function: {
      name: context.names.say(tool.name, `${path}.name`, loss),
      ...(description && { description }),
      // OpenAI refuses an object without `properties`, though it means the same.
      parameters: isObject(schema.properties) ? schema : { ...schema, properties: {} },
      ...(strict && { strict: true }),
    },
    ...toCacheControl(tool, context),
  };
}

/** Whether the model can be held to a schema. */
function canBeStrict({ features, facts }: ChatContext): boolean {
  return features.format === "json_schema" && (facts.parameters?.has("structured_outputs") ?? true);
}

/** Fields of a tool that are said in other words, or that change nothing for a model which is sent all tools. */
const SAID = new Set([
  "type",
  "name",
  "description",
  "input_schema",
  "strict",
  "cache_control",
  "defer_loading",
  "eager_input_streaming",
]);

/** What is said of a tool; chat completions have no place of their own for examples. */
function toDescription(tool: CustomTool, path: string, { loss }: ChatContext): string {
  const { input_examples: examples, allowed_callers: callers, ...rest } = tool;
  for (const [field, value] of Object.entries(rest)) {
    if (!SAID.has(field) && value !== null && value !== undefined) loss.add(`${path}.${field}`, "dropped");
  }
  if (Array.isArray(callers) && !callers.includes("direct")) loss.add(`${path}.allowed_callers`, "dropped");
  const shown = Array.isArray(examples) ? examples.map((example) => JSON.stringify(example)) : [];
  if (shown.length > 0) loss.add(`${path}.input_examples`, "approximated");
  const told = shown.length > 0 ? ["Examples of its input:", ...shown] : [];
  return [tool.description ?? "", told.join("\n")].filter(Boolean).join("\n\n");
}

function toToolChoice(choice: ToolChoice, names: ReadonlySet<string>, context: ChatContext): JsonObject {
  const { features, facts, loss } = context;
  const takes = (parameter: string) => facts.parameters?.has(parameter) ?? true;
  const single = "disable_parallel_tool_use" in choice && choice.disable_parallel_tool_use === true;
  // OpenRouter's list leaves it out of the parameters even of models that heed it, and others ignore it.
  const parallel = features.parallelToolCalls && takes("tools");
  if (single && !parallel) loss.add("tool_choice.disable_parallel_tool_use", "dropped");
  const said = toChoice(choice, names, context);
  const taken = said !== undefined && takes("tool_choice");
  if (choice.type !== "auto" && (!taken || said === "auto")) {
    loss.add("tool_choice", taken ? "approximated" : "dropped");
  }
  return {
    ...(taken && { tool_choice: said }),
    ...(single && parallel && { parallel_tool_calls: false }),
  };
}

function toChoice(choice: ToolChoice, offered: ReadonlySet<string>, context: ChatContext): unknown {
  switch (choice.type) {
    case "auto":
      return "auto";
    case "any":
      return canForce(context) ? "required" : "auto";
    case "none":
      return context.features.toolChoices.includes("none") ? "none" : undefined;
    case "tool": {
      // Hosts refuse a choice of what they were not offered: of a tool that somebody else would have to run.
      if (!offered.has(choice.name)) return undefined;
      if (!canForce(context)) return "auto";
      const name = context.names.say(choice.name, "tool_choice.name", context.loss);
      return { type: "function", function: { name } };
    }
    default:
      return undefined;
  }
}
