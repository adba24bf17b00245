import type { McpConnection } from "../connection.ts";
import type { ServerConfig } from "./server_config.ts";
import type { ServerLog } from "./server_log.ts";

/** A running server, and the connection to it. */
export interface ServerLink {
  readonly connection: McpConnection;
  /** Id of its process; undefined for a server that is reached over HTTP. */
  readonly pid: number | undefined;
  /** Resolves when the server has ended or closed the connection. Its other processes may still run. */
  readonly ended: Promise<LinkEnd>;
  /** Notes the processes that the server has started. */
  look(): Promise<void>;
  /** Closes the connection, and ends all processes of the server. Never rejects. */
  close(options?: { force?: boolean }): Promise<void>;
}

/** How a server has ended. */
export interface LinkEnd {
  readonly reason: string;
  /** True if it ended by itself with status 0. */
  readonly clean: boolean;
}

/** Options of {@linkcode OpenLink}. */
export interface OpenOptions {
  /** Aborts the opening. Later it has no effect. */
  readonly signal: AbortSignal;
  readonly log: ServerLog;
}

/**
 * Starts a server and connects to it. If that fails, no process of it is left.
 *
 * @throws {McpError} if the server cannot be started, or does not answer as an MCP server.
 * @throws the reason of the signal, if it is aborted.
 */
export type OpenLink = (config: ServerConfig, options: OpenOptions) => Promise<ServerLink>;
