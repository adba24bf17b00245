import type { ToolResult } from "../../tools/call.ts";
import type { ContentBlock } from "../anthropic/schema.ts";
import { isObject } from "../base/json.ts";
import type { ModelResult, ServerCall, ToolRun } from "./server_tool.ts";

/** Converts the result of a call to its `mcp_tool_result` block. The model also gets the images and files. */
export function toMcpResult({ id }: ServerCall, { content, isError }: ToolResult): ToolRun {
  const block = {
    type: "mcp_tool_result",
    tool_use_id: id,
    is_error: isError,
    content: content.map(toTextBlock),
  };
  const isTextOnly = content.every(({ type }) => type === "text");
  return isTextOnly ? { block } : { block, modelResult: { content, is_error: isError } };
}

/** Returns the result of a call beyond the limit of its turn. */
export function toTooManyCalls(call: ServerCall, name: string): ToolRun {
  const text = `Cannot run ${name}: too many calls in one turn`;
  return toMcpResult(call, { content: [{ type: "text", text }], isError: true });
}

/** Converts a `mcp_tool_result` block of the client to a result for the model, without a fence. */
export function toMcpModelResult(result: ContentBlock): ModelResult {
  const { is_error, content }: { [field: string]: unknown } = { ...result };
  return { content: toContent(content), is_error: is_error === true };
}

/** Converts a part of a result to text. MCP results in Anthropic's API are text, so images and files become a note. */
function toTextBlock(piece: ToolResult["content"][number]): { type: "text"; text: string } {
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
