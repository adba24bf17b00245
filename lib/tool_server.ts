import { parseConfig } from "./config/parse.ts";
import type { Settings } from "./config/settings.ts";
import { createGatewayContext, type GatewayOptions } from "./gateway.ts";
import type { LineStreams } from "./server/mcp_server/line_transport.ts";
import { type LineServer, serveLines } from "./server/mcp_server/serve_lines.ts";

/** Options of {@linkcode serveTools}. */
export interface ToolServerOptions extends Pick<GatewayOptions, "fetch" | "clock"> {
  settings: Settings;
  /** The connection to the client. */
  streams: LineStreams;
}

/**
 * Serves the gateway's tools as an MCP server to one client, without HTTP.
 *
 * @throws {ConfigError} if a setting is invalid, no tools are enabled, or `WORKSPACE_ROOT` cannot be used.
 */
export async function serveTools(
  { settings, streams, ...options }: ToolServerOptions,
): Promise<LineServer> {
  return await serveLines(createGatewayContext(parseConfig({ settings }, { stdio: true }), options), streams);
}
