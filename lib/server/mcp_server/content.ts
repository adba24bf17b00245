import type { CallToolResult, ContentBlock, Tool as McpTool } from "@modelcontextprotocol/server";
import type { ToolContent, ToolResult } from "../../../tools/call.ts";
import type { Toolbox } from "../../../tools/toolbox/toolbox.ts";

/** Returns the tools of a toolbox that MCP clients can call: all that need no conversation, so all but `Task`. */
export function toMcpTools({ tools }: Toolbox): McpTool[] {
  return tools.filter(({ nested }) => !nested).map(({ name, description, inputSchema, hints }) => ({
    name,
    description,
    inputSchema: { ...inputSchema, type: "object" },
    annotations: {
      readOnlyHint: hints.readOnly,
      openWorldHint: hints.openWorld,
      // MCP gives these a meaning only for tools that change something.
      ...(!hints.readOnly && { destructiveHint: hints.destructive, idempotentHint: hints.idempotent }),
    },
  }));
}

/**
 * Converts a tool's result to that of `tools/call`.
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-result
 */
export function toCallToolResult({ content, isError }: ToolResult): CallToolResult {
  return { content: content.map(toContentBlock), ...(isError && { isError }) };
}

function toContentBlock(piece: ToolContent): ContentBlock {
  switch (piece.type) {
    case "text":
      return { type: "text", text: piece.text };
    case "image": {
      const { media_type: mimeType, data } = piece.source;
      return { type: "image", mimeType, data };
    }
    case "document": {
      const { media_type: mimeType, data: blob } = piece.source;
      return { type: "resource", resource: { uri: toUri(piece.title ?? "document.pdf"), mimeType, blob } };
    }
  }
}

/**
 * Returns a URI for a file of the workspace. MCP needs one for each file that it carries; nothing can be read by it.
 */
function toUri(path: string): string {
  return `workspace:///${path.split("/").filter((name) => name !== "").map(encodeURIComponent).join("/")}`;
}
