import type { ContentBlock, CustomTool } from "../anthropic/schema.ts";
import { WORKSPACE } from "../dialects/anthropic/gateway_tools.ts";
import { isObject } from "../base/json.ts";
import type { ToolContext } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { ModelResult, ServerTool, ToolRun } from "./server_tool.ts";

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
    toCallBlock: ({ id, input }) => ({ type: "mcp_tool_use", id, name, server_name: WORKSPACE, input }),
    async run({ id, input }): Promise<ToolRun> {
      const { content, isError } = await toolbox.run({ id, name, input }, toolContext);
      const clientContent = content.map(toTextBlock);
      const block = { type: "mcp_tool_result", tool_use_id: id, is_error: isError, content: clientContent };
      const isTextOnly = content.every(({ type }) => type === "text");
      return isTextOnly ? { block } : { block, modelResult: { content, is_error: isError } };
    },
    tooManyCalls: ({ id }) => ({
      block: {
        type: "mcp_tool_result",
        tool_use_id: id,
        is_error: true,
        content: [{ type: "text", text: `Cannot run ${name}: too many calls in one turn` }],
      },
    }),
    toModelResult(result): ModelResult {
      const { is_error, content }: { [field: string]: unknown } = { ...result };
      return { content: toContent(content), is_error: is_error === true };
    },
  };
}

type ResultPart = Awaited<ReturnType<Toolbox["run"]>>["content"][number];

/** Converts a part of a result to text. MCP results in Anthropic's API are text, so images and files become a note. */
function toTextBlock(piece: ResultPart): { type: "text"; text: string } {
  if (piece.type === "text") return piece;
  const { media_type, data } = piece.source;
  return {
    type: "text",
    text: `[${media_type}, ${Math.ceil((data.length * 3) / 4096)} KiB, shown to the model]`,
  };
}

function toContent(content: unknown): string | ContentBlock[] {
  if (typeof content === "string") return content;
  const pieces = Array.isArray(content) ? content.filter(isObject) : [];
  return pieces.flatMap(({ text }) => typeof text === "string" ? [{ type: "text", text }] : []);
}
