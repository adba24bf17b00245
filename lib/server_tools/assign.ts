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
import { McpNames } from "./mcp/mcp_names.ts";
import { type OpenMcpServer, toMcpTools } from "./mcp/mcp_tool.ts";
import { deferredTools, type ToolAssignment } from "./plan.ts";
import { type ToolFilter, toolsetFilter } from "./toolset_filter.ts";
import { toTypedTool, type TypedToolOptions } from "./typed_tools.ts";
import { toWorkspaceTool } from "./workspace.ts";

/** Options that decide where each tool runs. */
export interface AssignOptions extends TypedToolOptions {
  toolHeaders: ToolHeaders;
  /** MCP servers of the request that the gateway has connected to. */
  mcpServers: readonly OpenMcpServer[];
}

/**
 * Assigns each tool of a request to the gateway or to others.
 *
 * The gateway runs its own tools, those of MCP servers, Anthropic's server tools that the upstream cannot run, and with
 * `x-gateway-tools-mode: intercept` the client's tools of the same names. Otherwise a client tool replaces the
 * gateway's tool of the same name.
 *
 * @throws {ApiError} `invalid_request_error` if the request needs a gateway tool that does not exist, or has a server
 * tool and a client tool of the same name.
 */
export function assignTools(request: MessagesRequest, options: AssignOptions): ToolAssignment[] {
  const { toolHeaders, toolContext, mcpServers } = options;
  const requested = [...(request.tools ?? []).entries()];
  const declaredNames = new Set(requested.flatMap(([, tool]) => isCustomTool(tool) ? [tool.name] : []));
  const isWorkspaceTaken = hasServer(request, WORKSPACE);
  const mcpNames = new McpNames([
    ...requested.flatMap(([, { name }]) => typeof name === "string" ? [name] : []),
    ...options.toolbox?.tools.map(({ name }) => name) ?? [],
  ]);
  const assignments: ToolAssignment[] = requested.flatMap(([at, tool]) => assignTool(tool, `tools.${at}`));
  const withoutToolset = mcpServers.filter(({ use }) => !use.path.startsWith("tools."));
  assignments.push(...withoutToolset.flatMap(assignMcpServer));
  if (toolHeaders.tools.length > 0) {
    const path = "header.x-gateway-tools";
    const toolbox = requireToolbox(options, path);
    assignments.push(...pickTools(toolbox, headerFilter(toolHeaders.tools, toolbox), path));
  }
  return uniqueByName(assignments);

  function assignTool(tool: Tool, path: string): ToolAssignment[] {
    if (isCustomTool(tool)) return [assignClientTool(tool, path)];
    if (isWorkspaceToolset(tool) && !isWorkspaceTaken) {
      if (tool.cache_control) options.loss.add(`${path}.cache_control`, "dropped");
      return pickTools(requireToolbox(options, path), toolsetFilter(tool), path);
    }
    const mcpServer = mcpServers.find(({ use }) => use.path === path);
    if (mcpServer !== undefined) return assignMcpServer(mcpServer);
    const otherTools = {
      deferred: () => deferredTools(assignments),
      workspaceToolNames: () => workspaceToolNames(assignments),
      mcpToolNames: () => mcpToolNames(assignments),
    };
    const server = toTypedTool(tool, path, { ...options, ...otherTools });
    if (server === undefined) return [{ tool, path }];
    if (!declaredNames.has(server.definition.name)) return [{ server }];
    // Anthropic's message. A call would be ambiguous.
    throw new ApiError("invalid_request_error", "tools: Tool names must be unique.");
  }

  /** Assigns a client tool to the client, or to the gateway if it intercepts a tool of that name. */
  function assignClientTool(tool: CustomTool, path: string): ToolAssignment {
    const toolbox = toolHeaders.intercept
      ? requireToolbox(options, "header.x-gateway-tools-mode")
      : undefined;
    if (toolbox?.tools.some(({ name }) => name === tool.name) !== true) return { tool, path };
    const deferred = tool.defer_loading === true;
    return { server: toWorkspaceTool({ definition: tool, path, deferred }, { toolbox, toolContext }) };
  }

  function assignMcpServer(server: OpenMcpServer): ToolAssignment[] {
    for (const name of server.rejected) options.loss.add(`${server.use.path}.tools.${name}`, "dropped");
    return toMcpTools(server, { names: mcpNames, ...options }).map((tool) => ({ server: tool }));
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

/** True if the gateway runs none of the tools, so that the request is sent unchanged. */
export function isPassThrough({ tools }: MessagesRequest, assignments: readonly ToolAssignment[]): boolean {
  return assignments.length === (tools ?? []).length &&
    assignments.every((assignment) => "tool" in assignment);
}

function isWorkspaceToolset(tool: TypedTool): boolean {
  return tool.type === "mcp_toolset" && tool.mcp_server_name === WORKSPACE;
}

/** True if the request declares an MCP server of this name. */
function hasServer({ mcp_servers: servers }: MessagesRequest, name: string): boolean {
  return Array.isArray(servers) && servers.some((server) => isObject(server) && server.name === name);
}

/** Returns the names of the gateway's own tools in a request. */
export function workspaceToolNames(assignments: readonly ToolAssignment[]): string[] {
  return toolNames(assignments, (server) => server === WORKSPACE);
}

/** Returns the names that the model uses for the tools of MCP servers. */
function mcpToolNames(assignments: readonly ToolAssignment[]): string[] {
  return toolNames(assignments, (server) => server !== WORKSPACE);
}

function toolNames(assignments: readonly ToolAssignment[], isOf: (server: string) => boolean): string[] {
  return assignments.flatMap((assignment) => {
    const tool = "server" in assignment ? assignment.server : undefined;
    return tool?.server !== undefined && isOf(tool.server) ? [tool.definition.name] : [];
  });
}

/** Removes server tools with a repeated name; the first one is kept. */
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
    `${path}: Cannot run tools: the gateway's tools are disabled`,
  );
}

/** @throws {ApiError} `invalid_request_error` for an unknown tool name. */
function headerFilter(names: readonly string[], { tools }: Toolbox): ToolFilter {
  const unknownName = names.find((name) => name !== "*" && !tools.some((tool) => tool.name === name));
  if (unknownName !== undefined) {
    throw new ApiError(
      "invalid_request_error",
      `header.x-gateway-tools: Cannot run tool ${
        JSON.stringify(unknownName.slice(0, 64))
      }: the gateway's tools are ${tools.map(({ name }) => name).join(", ")}`,
    );
  }
  return (name) => ({ enabled: names.includes("*") || names.includes(name), deferred: false });
}

/** Request headers that select gateway tools, for clients whose request body cannot be changed. */
export interface ToolHeaders {
  /** Names of gateway tools to offer; `*` means all. */
  tools: readonly string[];
  /** True if the gateway runs client tools that have the name of a gateway tool. */
  intercept: boolean;
}
