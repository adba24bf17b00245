import type { ContentBlock, CustomTool } from "../anthropic/schema.ts";
import { WORKSPACE } from "../dialects/anthropic/gateway_tools.ts";
import { isObject } from "../base/json.ts";
import type { Scene, Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { Ran, ServerTool, Told } from "./server_tool.ts";

/** How a tool of the toolbox is offered. */
export interface WorkspaceOffer {
  offer: CustomTool;
  path: string;
  deferred: boolean;
}

/** Gives a tool of the toolbox the form of a tool of an MCP server: its calls are `mcp_tool_use` blocks. */
export function toWorkspaceTool(
  { offer, path, deferred }: WorkspaceOffer,
  { toolbox, scene }: { toolbox: Toolbox; scene: Scene },
): ServerTool {
  const { name } = offer;
  return {
    offer,
    path,
    deferred,
    kind: "mcp_tool_use",
    toUse: ({ id, input }) => ({ type: "mcp_tool_use", id, name, server_name: WORKSPACE, input }),
    async run({ id, input }): Promise<Ran> {
      const { content, isError } = await toolbox.run({ id, name, input }, scene);
      const shown = content.map(toText);
      const block = { type: "mcp_tool_result", tool_use_id: id, is_error: isError, content: shown };
      const plain = content.every(({ type }) => type === "text");
      return plain ? { block } : { block, told: { content, is_error: isError } };
    },
    refuse: ({ id }) => ({
      block: {
        type: "mcp_tool_result",
        tool_use_id: id,
        is_error: true,
        content: [{ type: "text", text: `Cannot run ${name}: there are too many calls at once` }],
      },
    }),
    retell(result): Told {
      const { is_error, content }: { [field: string]: unknown } = { ...result };
      return { content: toContent(content), is_error: is_error === true };
    },
  };
}

type Content = Awaited<ReturnType<Toolbox["run"]>>["content"][number];

/** Results of an MCP server are text in Anthropic's API: of anything else the client is told what it was. */
function toText(piece: Content): { type: "text"; text: string } {
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
