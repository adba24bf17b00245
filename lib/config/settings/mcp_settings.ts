import { integer, onOff, type Schema, seconds } from "../schemas.ts";

/** Settings for MCP servers, part of the table in `settings.ts`. */
export const MCP_SETTINGS = {
  MCP_CONNECTORS: {
    flag: "--mcp-connectors",
    schema: (): Schema<string | boolean, "on" | "off"> => onOff(),
    default: "on",
    text: "Connections to the MCP servers that clients name by URL in `mcp_servers`: on or off",
  },
  MCP_CONNECT_TIMEOUT: {
    flag: "--mcp-connect-timeout",
    schema: (): Schema<string | number, number> => seconds(0.1),
    default: "10",
    text: "Maximum seconds to connect to an MCP server by URL, and to list the tools of any MCP server",
  },
  MCP_RESULT_CHARS: {
    flag: "--mcp-result-chars",
    schema: (): Schema<string | number, number> => integer(100, 10_000_000),
    default: "200000",
    text: "Characters of one result of an MCP server; the rest is cut",
  },
} as const;
