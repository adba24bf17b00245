import {
  type Content,
  type ContentBlock,
  type CountTokensRequest,
  isCustomTool,
  type Tool,
} from "../../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../../base/json.ts";

/** Names by which clients call their own search for tools. */
const CLIENT_SEARCH = /(^|[^a-z])(tool_?search|(search|find)_?(for_?)?tools?)($|[^a-z])/i;
/** Anthropic's search for tools. */
const SERVER_SEARCH = /^tool_search_tool_/;

/** Options of {@linkcode findDeferredTools}. */
export interface DeferredOptions {
  /** True if Anthropic's tool search runs, of which a translated request has only the type. */
  runsServerSearch: boolean;
}

/** Deferred tools of a request. */
export interface DeferredTools {
  /** True if the model does not get the tool yet. */
  isWithheld(tool: Tool): boolean;
  /** True if the tool is sent although it is deferred: no search of this request can find it. */
  isSentEarly(tool: Tool): boolean;
}

/**
 * Finds the deferred tools that a model does not get, as Anthropic's API withholds them: until a `tool_reference` in
 * the conversation names them. A tool that the conversation has called, or that the client forces, is not withheld.
 *
 * Without a search in the request, the model could never get a deferred tool. So all are sent.
 *
 * @example Usage
 * ```ts
 * import { findDeferredTools } from "./deferred_tools.ts";
 *
 * const input_schema = { type: "object" as const };
 * const tools = [{ name: "ToolSearch", input_schema }, { name: "clock", input_schema, defer_loading: true }];
 * const request = { tools, messages: [{ role: "user" as const, content: "Hi" }] };
 * const deferred = findDeferredTools(request, { runsServerSearch: false });
 * if (tools.filter((tool) => deferred.isWithheld(tool)).length !== 1) throw new Error("expected one");
 * ```
 */
export function findDeferredTools(
  { tools, messages, tool_choice: choice }: Pick<CountTokensRequest, "tools" | "messages" | "tool_choice">,
  { runsServerSearch }: DeferredOptions,
): DeferredTools {
  const all = tools ?? [];
  if (!all.some(isDeferred)) return { isWithheld: () => false, isSentEarly: () => false };
  const blocks = messages.flatMap(({ content }) => typeof content === "string" ? [] : content);
  const found = new Set(blocks.flatMap(findReferences));
  const used = new Set(blocks.flatMap((block) => block.type === "tool_use" ? [block.name] : []));
  if (choice?.type === "tool") used.add(choice.name);
  const canSearch = found.size > 0 || all.some((tool) =>
    !isDeferred(tool) &&
    (isCustomTool(tool) ? CLIENT_SEARCH.test(tool.name) : runsServerSearch && SERVER_SEARCH.test(tool.type))
  );
  const isLoaded = ({ name }: Tool) => found.has(name ?? "") || used.has(name ?? "");
  return {
    isWithheld: (tool) => canSearch && isDeferred(tool) && !isLoaded(tool),
    isSentEarly: (tool) => !canSearch && isDeferred(tool) && !isLoaded(tool),
  };
}

function isDeferred(tool: Tool): boolean {
  return tool.defer_loading === true;
}

function findReferences(block: ContentBlock): string[] {
  if (block.type === "tool_reference") return [block.tool_name];
  // A beta of Anthropic's API: a system message that makes a tool available.
  const { type, tool }: JsonObject = { ...block };
  if (type === "tool_addition" && isObject(tool)) return [asText(tool.name ?? tool.tool_name)];
  const content: Content = block.type === "tool_result" ? block.content ?? "" : "";
  return typeof content === "string" ? [] : content.flatMap(findReferences);
}
