import { ApiError } from "../base/errors.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import {
  type CustomTool,
  isCustomTool,
  type MessagesRequest,
  type Tool,
  type TypedTool,
} from "../anthropic/schema.ts";
import { WORKSPACE } from "../dialects/anthropic/gateway_tools.ts";
import { isObject } from "../base/json.ts";
import { deferredTools, type ToolAssignment } from "./plan.ts";
import { toTypedTool, type TypedToolOptions } from "./typed_tools.ts";
import { toWorkspaceTool } from "./workspace.ts";

/** What decides who runs a tool. */
export interface AssignOptions extends TypedToolOptions {
  toolHeaders: ToolHeaders;
}

/**
 * Decides for each tool of a request who runs it: the gateway runs its own, those of Anthropic's that the upstream
 * cannot run, and the client's where that is wished. The client's own tools go before the gateway's of the same name.
 *
 * @throws {ApiError} `invalid_request_error` where the request asks for tools of the gateway that there are not, or for
 * one of Anthropic's under the name of the client's own.
 */
export function assignTools(request: MessagesRequest, options: AssignOptions): ToolAssignment[] {
  const { toolHeaders, toolContext } = options;
  const requested = [...(request.tools ?? []).entries()];
  const declaredNames = new Set(requested.flatMap(([, tool]) => isCustomTool(tool) ? [tool.name] : []));
  const isWorkspaceTaken = hasServer(request, WORKSPACE);
  const assignments: ToolAssignment[] = requested.flatMap(([at, tool]) => assignTool(tool, `tools.${at}`));
  if (toolHeaders.tools.length > 0) {
    const path = "header.x-gateway-tools";
    const toolbox = requireToolbox(options, path);
    assignments.push(...pickTools(toolbox, headerFilter(toolHeaders.tools, toolbox), path));
  }
  return uniqueByName(assignments);

  function assignTool(tool: Tool, path: string): ToolAssignment[] {
    if (isCustomTool(tool)) return [assignClientTool(tool, path)];
    if (isWorkspaceToolset(tool) && !isWorkspaceTaken) {
      return pickTools(requireToolbox(options, path), toolsetFilter(tool), path);
    }
    const otherTools = {
      deferred: () => deferredTools(assignments),
      gatewayToolNames: () => workspaceToolNames(assignments),
    };
    const server = toTypedTool(tool, path, { ...options, ...otherTools });
    if (server === undefined) return [{ tool, path }];
    if (!declaredNames.has(server.definition.name)) return [{ server }];
    // Anthropic's own words: nobody could tell whose a call would be.
    throw new ApiError("invalid_request_error", "tools: Tool names must be unique.");
  }

  /** The client's own tool, which the gateway runs only where it is asked to. */
  function assignClientTool(tool: CustomTool, path: string): ToolAssignment {
    const toolbox = toolHeaders.intercept
      ? requireToolbox(options, "header.x-gateway-tools-mode")
      : undefined;
    if (toolbox?.tools.some(({ name }) => name === tool.name) !== true) return { tool, path };
    const deferred = tool.defer_loading === true;
    return { server: toWorkspaceTool({ definition: tool, path, deferred }, { toolbox, toolContext }) };
  }

  function pickTools(toolbox: Toolbox, filter: ToolFilter, path: string): ToolAssignment[] {
    return toolbox.tools.filter(({ name }) => !declaredNames.has(name)).flatMap((tool): ToolAssignment[] => {
      const { enabled, deferred } = filter(tool.name);
      if (!enabled) return [];
      const { name, description, inputSchema } = tool;
      const definition = { name, description, input_schema: { ...inputSchema, type: "object" as const } };
      return [{ server: toWorkspaceTool({ definition, path, deferred }, { toolbox, toolContext }) }];
    });
  }
}

/** Whether nothing of a request's tools is the gateway's to do, so that the upstream is asked as the client said. */
export function isPassThrough({ tools }: MessagesRequest, assignments: readonly ToolAssignment[]): boolean {
  return assignments.length === (tools ?? []).length &&
    assignments.every((assignment) => "tool" in assignment);
}

function isWorkspaceToolset(tool: TypedTool): boolean {
  return tool.type === "mcp_toolset" && tool.mcp_server_name === WORKSPACE;
}

/** Whether the client brings an MCP server of this name itself. */
function hasServer({ mcp_servers: servers }: MessagesRequest, name: string): boolean {
  return Array.isArray(servers) && servers.some((server) => isObject(server) && server.name === name);
}

/** The names of the gateway's own tools among those of a request. */
export function workspaceToolNames(assignments: readonly ToolAssignment[]): string[] {
  return assignments.flatMap((assignment) =>
    "server" in assignment && assignment.server.kind === "mcp_tool_use"
      ? [assignment.server.definition.name]
      : []
  );
}

/** Chooses among the gateway's tools by their names. */
type ToolFilter = (name: string) => { enabled: boolean; deferred: boolean };

/** Of what is asked for twice, the first counts. */
function uniqueByName(assignments: readonly ToolAssignment[]): ToolAssignment[] {
  const seen = new Set<string>();
  return assignments.filter((assignment) => {
    if (!("server" in assignment)) return true;
    const { name } = assignment.server.definition;
    const duplicate = seen.has(name);
    seen.add(name);
    return !duplicate;
  });
}

function requireToolbox({ toolbox }: AssignOptions, path: string): Toolbox {
  if (toolbox !== undefined) return toolbox;
  throw new ApiError(
    "invalid_request_error",
    `${path}: Cannot run tools: this gateway's own are switched off`,
  );
}

/** What a toolset's configuration says of each tool. Source: https://platform.claude.com/docs/en/agents-and-tools/mcp-connector */
function toolsetFilter({ default_config: defaults, configs }: TypedTool): ToolFilter {
  const overrides = new Map(isObject(configs) ? Object.entries(configs) : []);
  return (name) => {
    const config = { ...(isObject(defaults) && defaults), ...objectOrEmpty(overrides.get(name)) };
    return { enabled: (config.enabled ?? true) === true, deferred: config.defer_loading === true };
  };
}

function objectOrEmpty(value: unknown): { [field: string]: unknown } {
  return isObject(value) ? value : {};
}

/** @throws {ApiError} `invalid_request_error` for a name that no tool has. */
function headerFilter(names: readonly string[], { tools }: Toolbox): ToolFilter {
  const unknownName = names.find((name) => name !== "*" && !tools.some((tool) => tool.name === name));
  if (unknownName !== undefined) {
    throw new ApiError(
      "invalid_request_error",
      `header.x-gateway-tools: Cannot run tool ${
        JSON.stringify(unknownName.slice(0, 64))
      }: this gateway has ${tools.map(({ name }) => name).join(", ")}`,
    );
  }
  return (name) => ({ enabled: names.includes("*") || names.includes(name), deferred: false });
}

/** What the headers of a request say about the gateway's own tools, for clients whose body cannot be changed. */
export interface ToolHeaders {
  /** The tools that the gateway may run, by name; `*` stands for all. */
  tools: readonly string[];
  /** Whether tools that the client declares under the name of one of the gateway's are run here. */
  intercept: boolean;
}
