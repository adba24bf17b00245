import type { ContentBlock, Message } from "../../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../../base/json.ts";
import { isSealed } from "../sealed.ts";
import { describeServerTool } from "../server_tool_text.ts";

/** MCP server name of the gateway's tools. */
export const WORKSPACE = "workspace";

/**
 * Returns the IDs of earlier calls that the gateway ran.
 *
 * An upstream with Anthropic's API has no such MCP server. It also rejects search results that it did not encrypt.
 */
export function findGatewayCalls(messages: readonly Message[]): ReadonlySet<string> {
  const blocks = messages.flatMap(({ content }) => typeof content === "string" ? [] : content);
  return new Set(blocks.flatMap((block): string[] => {
    const { type, id, server_name, tool_use_id, content }: JsonObject = { ...block };
    if (type === "mcp_tool_use" && server_name === WORKSPACE) return [asText(id)];
    return Array.isArray(content) && content.some(isSealedHit) ? [asText(tool_use_id)] : [];
  }));
}

/** Replaces a call or result of one of these calls with a text that describes it; returns other blocks unchanged. */
export function describeGatewayCall(block: ContentBlock, calls: ReadonlySet<string>): ContentBlock {
  const { type, id, tool_use_id }: JsonObject = { ...block };
  const callId = type === "mcp_tool_use" || type === "server_tool_use" ? id : tool_use_id;
  const text = typeof callId === "string" && calls.has(callId) ? describeServerTool(block) : undefined;
  return text === undefined ? block : { type: "text", text };
}

function isSealedHit(hit: unknown): boolean {
  return isObject(hit) && typeof hit.encrypted_content === "string" && isSealed(hit.encrypted_content);
}
