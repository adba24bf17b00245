import type { CustomTool } from "../anthropic/schema.ts";
import { WORKSPACE } from "../dialects/anthropic/gateway_tools.ts";
import type { ToolContext } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import { toMcpModelResult, toMcpResult, toTooManyCalls } from "./result_block.ts";
import type { ServerTool } from "./server_tool.ts";

/** Definition of a toolbox tool in a request. */
export interface WorkspaceToolSpec {
  definition: CustomTool;
  path: string;
  deferred: boolean;
}

/** Converts a tool of the toolbox to a server tool. Its calls are `mcp_tool_use` blocks, as of an MCP server. */
export function toWorkspaceTool(
  { definition, path, deferred }: WorkspaceToolSpec,
  { toolbox, toolContext }: { toolbox: Toolbox; toolContext: ToolContext },
): ServerTool {
  const { name } = definition;
  return {
    definition,
    path,
    deferred,
    trusted: toolbox.tools.some((tool) => tool.name === name && tool.trusted),
    repeatable: toolbox.tools.some((tool) => tool.name === name && tool.hints.readOnly),
    kind: "mcp_tool_use",
    server: WORKSPACE,
    toCallBlock: ({ id, input }) => ({ type: "mcp_tool_use", id, name, server_name: WORKSPACE, input }),
    run: async (call) =>
      toMcpResult(call, await toolbox.run({ id: call.id, name, input: call.input }, toolContext)),
    tooManyCalls: (call) => toTooManyCalls(call, name),
    toModelResult: toMcpModelResult,
  };
}
