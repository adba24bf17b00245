import { type CustomTool, isCustomTool, type MessagesRequest } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../base/json.ts";
import { toClientTool } from "./client_tools.ts";

/** Claude Code's stand-in for tools it has not sent; it is not meant to be called. */
const PLACEHOLDER = "DeferredToolPlaceholder";

/** A tool of the request, as a model can be offered it. */
export interface OfferedTool {
  /** Where the client speaks of it. */
  path: string;
  /** Nothing where the gateway or the upstream would have to run it. */
  tool: CustomTool | undefined;
  /** Whether its description and schema are words of ours, because the client named a type alone. */
  described: boolean;
}

/**
 * Lists the tools of a request: the client's own, and those it runs that are known by their type alone.
 *
 * Deferred tools are offered like all others, for chat completions have no way to load one later, and clients run a
 * deferred tool as they run any.
 */
export function offerTools({ tools }: MessagesRequest): OfferedTool[] {
  return (tools ?? []).flatMap((tool, at): OfferedTool[] => {
    const path = `tools.${at}`;
    if (!isCustomTool(tool)) return [{ path, tool: toClientTool(tool), described: true }];
    return tool.name === PLACEHOLDER ? [] : [{ path, tool, described: false }];
  });
}

/** Gathers the schemas of the tools' arguments, by the tools' names. */
export function collectSchemas(request: MessagesRequest): Map<string, JsonObject> {
  const tools = offerTools(request).flatMap(({ tool }) => tool ? [tool] : []);
  return new Map(tools.map(({ name, input_schema }) => [name, input_schema]));
}
