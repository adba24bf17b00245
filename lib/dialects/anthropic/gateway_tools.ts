import type { ContentBlock, Message } from "../../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../../base/json.ts";
import { isSealed } from "../sealed.ts";
import { describeServerTool } from "../server_tool_text.ts";

/** The name under which the gateway's own tools are an MCP server. */
export const WORKSPACE = "workspace";

/**
 * Finds what the gateway's own tools did earlier, by the ids of their calls: an upstream that speaks Anthropic's
 * language has no such server, and refuses what it did not encrypt itself.
 */
export function findGatewayCalls(messages: readonly Message[]): ReadonlySet<string> {
  const blocks = messages.flatMap(({ content }) => typeof content === "string" ? [] : content);
  return new Set(blocks.flatMap((block): string[] => {
    const { type, id, server_name, tool_use_id, content }: JsonObject = { ...block };
    if (type === "mcp_tool_use" && server_name === WORKSPACE) return [asText(id)];
    return Array.isArray(content) && content.some(isSealedHit) ? [asText(tool_use_id)] : [];
  }));
}

/** Tells in words what one of these calls was, or gave; any other block as it is. */
export function describeGatewayCall(block: ContentBlock, calls: ReadonlySet<string>): ContentBlock {
  const { type, id, tool_use_id }: JsonObject = { ...block };
  const callId = type === "mcp_tool_use" || type === "server_tool_use" ? id : tool_use_id;
  const text = typeof callId === "string" && calls.has(callId) ? describeServerTool(block) : undefined;
  return text === undefined ? block : { type: "text", text };
}

function isSealedHit(hit: unknown): boolean {
  return isObject(hit) && typeof hit.encrypted_content === "string" && isSealed(hit.encrypted_content);
}
