import {
  type CustomTool,
  isCustomTool,
  type MessagesRequest,
  type ToolChoice,
} from "../../anthropic/schema.ts";
import type { JsonObject } from "../../json.ts";
import { type ChatContext, toCacheControl } from "./chat.ts";

/** Claude Code's stand-in for tools it has not sent; it is not meant to be called. */
const PLACEHOLDER = "DeferredToolPlaceholder";

/** Says which tools the model may call, and how it must choose. */
export function toTools(request: MessagesRequest, context: ChatContext): JsonObject {
  const { loss } = context;
  const tools = (request.tools ?? []).flatMap((tool, at): JsonObject[] => {
    if (isCustomTool(tool)) {
      return tool.name === PLACEHOLDER ? [] : [toFunction(tool, `tools.${at}`, context)];
    }
    loss.add(`tools.${at}`, "dropped");
    return [];
  });
  const choice = request.tool_choice;
  if (tools.length === 0) {
    if (choice) loss.add("tool_choice", "dropped");
    return {};
  }
  const single = choice && "disable_parallel_tool_use" in choice && choice.disable_parallel_tool_use === true;
  return {
    tools,
    ...(choice && toToolChoice(choice, context)),
    ...(single && { parallel_tool_calls: false }),
  };
}

function toFunction(tool: CustomTool, path: string, context: ChatContext): JsonObject {
  if (tool.cache_control && !context.features.cacheControl) {
    context.loss.add(`${path}.cache_control`, "dropped");
  }
  return {
    type: "function",
    function: {
      name: tool.name,
      ...(tool.description && { description: tool.description }),
      parameters: tool.input_schema,
      ...(tool.strict && { strict: true }),
    },
    ...toCacheControl(tool, context),
  };
}

function toToolChoice(choice: ToolChoice, { loss }: ChatContext): JsonObject {
  switch (choice.type) {
    case "auto":
      return { tool_choice: "auto" };
    case "any":
      return { tool_choice: "required" };
    case "none":
      return { tool_choice: "none" };
    case "tool":
      return { tool_choice: { type: "function", function: { name: choice.name } } };
    default:
      loss.add("tool_choice", "dropped");
      return {};
  }
}
