import { type CustomTool, isCustomTool, type MessagesRequest } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";
import { findDeferredTools } from "./deferred_tools.ts";
import { toClientTool } from "./client_tools.ts";

/** Claude Code's placeholder for tools that it has not sent. Models must not call it. */
const PLACEHOLDER = "DeferredToolPlaceholder";

/** A tool of the request, in the form in which the model gets it. */
export interface OfferedTool {
  /** Path of the tool in the client's request. */
  path: string;
  /** Undefined for a typed tool that the gateway or the upstream would have to run. */
  tool: CustomTool | undefined;
  /** True if the client sent only a type, so that the gateway writes the description and the schema. */
  described: boolean;
  /** True if the tool is deferred, but sent because nothing could find it. */
  sentEarly: boolean;
}

/**
 * Lists the tools of a request: custom tools and typed tools such as `bash_20250124`.
 *
 * Deferred tools are left out until a search has found them: see `findDeferredTools`.
 */
export function offerTools(request: MessagesRequest): OfferedTool[] {
  const deferred = findDeferredTools(request, { runsServerSearch: false });
  return (request.tools ?? []).flatMap((tool, at): OfferedTool[] => {
    if (deferred.isWithheld(tool)) return [];
    const path = `tools.${at}`;
    const sentEarly = deferred.isSentEarly(tool);
    if (!isCustomTool(tool)) return [{ path, tool: toClientTool(tool), described: true, sentEarly }];
    return tool.name === PLACEHOLDER ? [] : [{ path, tool, described: false, sentEarly }];
  });
}

/** Returns the offered tools that the model gets. Reports what their form loses, and the tools that are left out. */
export function offerReported(
  request: MessagesRequest,
  loss: LossReport,
): { path: string; tool: CustomTool }[] {
  return offerTools(request).flatMap(({ path, tool, described, sentEarly }) => {
    if (sentEarly) loss.add(`${path}.defer_loading`, "dropped");
    if (tool === undefined) {
      loss.add(path, "dropped");
      return [];
    }
    if (described) loss.add(path, "approximated");
    return [{ path, tool }];
  });
}

/** Collects the input schemas of the offered tools, by tool name. */
export function collectSchemas(request: MessagesRequest): Map<string, JsonObject> {
  const tools = offerTools(request).flatMap(({ tool }) => tool ? [tool] : []);
  return new Map(tools.map(({ name, input_schema }) => [name, input_schema]));
}
