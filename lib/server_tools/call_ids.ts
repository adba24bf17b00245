import { WORKSPACE } from "../dialects/anthropic/gateway_tools.ts";
import type { ServerTool } from "./server_tool.ts";

/**
 * Prefixes of the ids of calls that the gateway runs, as in Anthropic's API. The rest is the model's id, so that the
 * upstream receives the same ids when the conversation comes back.
 */
const PREFIXES = { mcp_tool_use: "mcptoolu_", server_tool_use: "srvtoolu_" } as const;
const SERVER_CALL_ID = /^(?:mcp|srv)toolu_(gw_)?(.+)$/s;

/**
 * Converts the model's id of a call to the client's.
 *
 * The mark `gw_` shows that the rest is the model's whole id. Calls of MCP servers always have it: by that, an upstream
 * that connects to such servers itself does not receive the gateway's calls as its own.
 */
export function toServerCallId(id: string, { kind, server }: Pick<ServerTool, "kind" | "server">): string {
  const marked = (server !== undefined && server !== WORKSPACE) || !/^toolu_(?!gw_)/.test(id);
  return PREFIXES[kind] + (marked ? `gw_${id}` : id.slice("toolu_".length));
}

/**
 * Returns the id of a call, with a suffix if an earlier call has the same id, and adds it to `taken`.
 *
 * Some hosts restart at `call_0` with every turn, and a result is matched to its call by the id alone.
 */
export function toUniqueId(id: string, taken: Set<string>): string {
  let unique = id;
  for (let nth = 2; taken.has(unique); nth++) unique = `${id}_${nth}`;
  taken.add(unique);
  return unique;
}

/** Converts the client's id of a call to the model's. */
export function toModelCallId(id: string): string {
  const [, marker, rest = id] = SERVER_CALL_ID.exec(id) ?? [];
  return marker === undefined && rest !== id ? `toolu_${rest}` : rest;
}
