import type { ContentBlock, Message, MessagesRequest } from "../../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../../base/json.ts";
import { isSealed } from "../sealed.ts";
import { describeServerTool } from "../server_tool_text.ts";

/** MCP server name of the gateway's tools. */
export const WORKSPACE = "workspace";

/** Start of the ids of calls that the gateway made of MCP servers. */
const GATEWAY_CALL_ID = /^mcptoolu_gw_/;

/** Type of the block that holds the tools of an MCP server. Source: npm @anthropic-ai/sdk, `BetaMCPToolListingBlock` */
export const LISTING = "mcp_tool_listing";

/**
 * Returns the conversion of blocks that the upstream cannot have made: calls of the gateway's tools and their results
 * become a text that describes them, and lists of tools are left out. Other blocks are returned unchanged.
 *
 * Of calls and lists of MCP servers, the upstream can have made those that `mcp_servers` names, if it connects to such
 * servers (`connectsMcp`). Anthropic, which does, also rejects search results that it did not encrypt.
 */
export function createGatewayBlocks(
  { messages, mcp_servers: servers }: MessagesRequest,
  { connectsMcp }: { connectsMcp: boolean },
): (block: ContentBlock) => ContentBlock[] {
  const declared = new Set<unknown>(
    connectsMcp && Array.isArray(servers) ? servers.map((server) => isObject(server) && server.name) : [],
  );
  const calls = findGatewayCalls(
    messages,
    (server, id) =>
      !declared.has(server) && (!connectsMcp || server === WORKSPACE || GATEWAY_CALL_ID.test(id)),
  );
  return (block) => {
    const { type, id, tool_use_id, mcp_server_name: server }: JsonObject = { ...block };
    if (type === LISTING) return declared.has(server) ? [block] : [];
    const callId = type === "mcp_tool_use" || type === "server_tool_use" ? id : tool_use_id;
    const text = typeof callId === "string" && calls.has(callId) ? describeServerTool(block) : undefined;
    return [text === undefined ? block : { type: "text", text }];
  };
}

/** Returns the IDs of calls that the gateway made. */
function findGatewayCalls(
  messages: readonly Message[],
  isGatewayCall: (server: unknown, id: string) => boolean,
): ReadonlySet<string> {
  const blocks = messages.flatMap(({ content }) => typeof content === "string" ? [] : content);
  return new Set(blocks.flatMap((block): string[] => {
    const { type, id, server_name: server, tool_use_id, content }: JsonObject = { ...block };
    if (type === "mcp_tool_use") return isGatewayCall(server, asText(id)) ? [asText(id)] : [];
    return Array.isArray(content) && content.some(isSealedHit) ? [asText(tool_use_id)] : [];
  }));
}

function isSealedHit(hit: unknown): boolean {
  return isObject(hit) && typeof hit.encrypted_content === "string" && isSealed(hit.encrypted_content);
}
