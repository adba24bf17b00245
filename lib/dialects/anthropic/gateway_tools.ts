import type { ContentBlock, MessagesRequest } from "../../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../../base/json.ts";
import { isSealed } from "../sealed.ts";
import { describeServerTool } from "../server_tool_text.ts";

/** MCP server name of the gateway's tools. */
export const WORKSPACE = "workspace";

/** Start of the ids of calls that the gateway made of MCP servers. */
const GATEWAY_CALL_ID = /^mcptoolu_gw_/;

/**
 * Returns the IDs of earlier calls that the upstream cannot have made: those of the gateway's tools, and of MCP servers
 * that the request does not name.
 *
 * Only Anthropic connects to MCP servers (`connectsMcp`). It rejects search results that it did not encrypt.
 */
export function findGatewayCalls(
  { messages, mcp_servers: servers }: MessagesRequest,
  { connectsMcp }: { connectsMcp: boolean },
): ReadonlySet<string> {
  const declared = new Set<unknown>(
    connectsMcp && Array.isArray(servers) ? servers.map((server) => isObject(server) && server.name) : [],
  );
  const blocks = messages.flatMap(({ content }) => typeof content === "string" ? [] : content);
  return new Set(blocks.flatMap((block): string[] => {
    const { type, id, server_name: server, tool_use_id, content }: JsonObject = { ...block };
    if (type === "mcp_tool_use") {
      const isOurs = !connectsMcp || server === WORKSPACE || GATEWAY_CALL_ID.test(asText(id));
      return isOurs && !declared.has(server) ? [asText(id)] : [];
    }
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
