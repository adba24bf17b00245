import type { ToolResult } from "../../../tools/call.ts";
import type { McpTool } from "../../../tools/mcp/tool_list.ts";
import type { CallRunner, ToolContext } from "../../../tools/toolbox/call_runner.ts";
import type { ResponseBlock } from "../../anthropic/events.ts";
import type { JsonObject } from "../../base/json.ts";
import { LISTING } from "../../dialects/anthropic/gateway_tools.ts";
import { toMcpModelResult, toMcpResult, toTooManyCalls } from "../result_block.ts";
import type { ServerTool } from "../server_tool.ts";
import { configurationFilter, toolsetFilter } from "../toolset_filter.ts";
import { withCacheControl } from "../typed_tools.ts";
import type { McpNames } from "./mcp_names.ts";
import type { McpServerUse } from "./mcp_servers.ts";

/** An MCP server of a request, with the tools that it had when the message began. */
export interface OpenMcpServer {
  use: McpServerUse;
  tools: readonly McpTool[];
  /** Names of tools that cannot be offered to a model. */
  rejected: readonly string[];
  /**
   * Calls a tool.
   *
   * @throws {ToolError} if the server does not answer.
   * @throws the reason of the signal, if it is aborted.
   */
  callTool(name: string, input: JsonObject, signal: AbortSignal): Promise<ToolResult>;
}

/**
 * Returns the blocks that tell the client which tools the servers had. With such a block in a later request, the
 * gateway does not ask the server again.
 */
export function toListings(servers: readonly OpenMcpServer[]): ResponseBlock[] {
  const unlisted = servers.filter(({ use }) => use.listed === undefined || use.listed === null);
  return unlisted.map(({ use, tools }) => ({
    type: LISTING,
    mcp_server_name: use.name,
    tools: tools.map(({ name, description, inputSchema }) => ({
      name,
      ...(description !== undefined && { description }),
      input_schema: inputSchema,
    })),
  }));
}

/** What calls of MCP tools run in. */
export interface McpCallOptions {
  toolContext: ToolContext;
  loadCallRunner(): Promise<CallRunner>;
}

/**
 * Converts the tools of an MCP server that its toolset selects to server tools. A cache breakpoint of the toolset is
 * that of its last tool.
 */
export function toMcpTools(
  server: OpenMcpServer,
  { names, ...options }: McpCallOptions & { names: McpNames },
): ServerTool[] {
  const { toolset, configuration } = server.use;
  const select = toolsetFilter(toolset);
  const isConfigured = configurationFilter(configuration);
  const tools = server.tools.flatMap((tool): ServerTool[] => {
    const { enabled, deferred } = select(tool.name);
    if (!enabled || !isConfigured(tool.name).enabled) return [];
    return [toMcpTool(server, {
      modelName: names.toModelName(server.use.name, tool.name),
      tool,
      deferred,
    }, options)];
  });
  return tools.map((tool, nth) => nth === tools.length - 1 ? withCacheControl(tool, toolset) : tool);
}

/** A tool of an MCP server in a request. */
interface McpToolSpec {
  /** Name of the tool for the model. */
  modelName: string;
  tool: McpTool;
  deferred: boolean;
}

/**
 * Converts a tool of an MCP server to a server tool. Calls run within the limits of all tools. A failure becomes a
 * result, which the model sees.
 */
function toMcpTool(
  server: OpenMcpServer,
  { modelName, tool, deferred }: McpToolSpec,
  { toolContext, loadCallRunner }: McpCallOptions,
): ServerTool {
  const { name } = tool;
  const { name: server_name, path } = server.use;
  return {
    definition: {
      name: modelName,
      description: describe(tool, server_name),
      input_schema: tool.inputSchema,
    },
    path,
    deferred,
    kind: "mcp_tool_use",
    server: server_name,
    toCallBlock: ({ id, input }) => ({ type: "mcp_tool_use", id, name, server_name, input }),
    async run(call) {
      const runner = await loadCallRunner();
      const { id, input } = call;
      try {
        const result = await runner.run(
          { id, name, server: server_name, input },
          toolContext,
          ({ signal }) => server.callTool(name, input, signal),
          ({ isError }) => isError,
        );
        return toMcpResult(call, result);
      } catch (error) {
        // Only a `ToolError` is a failed call; its class is in `tools/`, of which this folder uses only types.
        if (toolContext.signal.aborted || !isToolError(error)) throw error;
        return toMcpResult(call, { content: [{ type: "text", text: error.message }], isError: true });
      }
    },
    tooManyCalls: (call) => toTooManyCalls(call, name),
    toModelResult: toMcpModelResult,
  };
}

/** Describes a tool to the model: whose words the description is, and the server's hints on its effects. */
function describe({ description, annotations }: McpTool, server: string): string {
  const { readOnlyHint, destructiveHint } = annotations;
  const hints = [
    ...(readOnlyHint === true ? ["read-only"] : []),
    ...(destructiveHint === true && readOnlyHint !== true ? ["destructive"] : []),
  ];
  const source = `[Tool of MCP server ${JSON.stringify(server)}, described by that server${
    hints.length === 0 ? "" : `, which marks it as ${hints.join(", ")}`
  }]`;
  return description === undefined ? source : `${source}\n${description}`;
}

function isToolError(error: unknown): error is Error {
  return error instanceof Error && /^(?:Tool|Rate|Fetch|Mcp)Error$/.test(error.name);
}
