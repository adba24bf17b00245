import type { ManagedServers } from "../../../tools/mcp/connection.ts";
import type { MessagesRequest } from "../../anthropic/schema.ts";
import { ApiError } from "../../base/errors.ts";
import { logWarning } from "../../observability/log.ts";
import {
  findMcpServers,
  mayUseMcp,
  type McpServerUse,
  namesManagedServer,
} from "../../server_tools/mcp/mcp_servers.ts";
import type { OpenMcpServer } from "../../server_tools/mcp/mcp_tool.ts";
import type { UpstreamTools } from "../../server_tools/typed_tools.ts";
import {
  type McpConnector,
  type McpContext,
  toManagedConnector,
  toRemoteConnector,
} from "./mcp_connector.ts";

/** The MCP servers of one message. Each is asked for its tools at most once. */
export interface McpSession {
  /**
   * Connects to the MCP servers of a request that the upstream does not connect to itself.
   *
   * @throws {ApiError} `invalid_request_error` if a server is not valid or does not answer.
   * @throws the reason of the signal, if it is aborted.
   */
  open(request: MessagesRequest, upstream: UpstreamTools): Promise<readonly OpenMcpServer[]>;
  /** Closes the connections, except those to managed servers: other messages share them. Never rejects. */
  close(): Promise<void>;
}

/** Options of {@linkcode createMcpSession}. */
export interface McpSessionOptions {
  /** Value of the header `anthropic-beta`. */
  betas: string | undefined;
  /** Fires when the client has disconnected, or its request timed out. */
  signal: AbortSignal;
}

/** An open server, without the request's selection of its tools. */
type SharedServer = Omit<OpenMcpServer, "use">;

/** Creates the session of a message. It connects to nothing before the first {@linkcode McpSession.open}. */
export function createMcpSession(context: McpContext, { betas, signal }: McpSessionOptions): McpSession {
  const opened = new Map<string, Promise<SharedServer>>();
  const connectors: McpConnector[] = [];

  return {
    open: (request, upstream) => mayUseMcp(request) ? openServers(request, upstream) : NO_SERVERS,
    async close() {
      if (connectors.length > 0) await Promise.all(connectors.map((connector) => connector.close()));
    },
  };

  async function openServers(request: MessagesRequest, upstream: UpstreamTools): Promise<OpenMcpServer[]> {
    const managed = namesManagedServer(request) ? await context.loadManagedServers?.() : undefined;
    const uses = findMcpServers(request, {
      betas,
      upstreamConnects: upstream.connectsMcp,
      isManaged: (name) => managed?.has(name) ?? false,
    });
    if (uses.length === 0) return [];
    if (context.config.mcpConnectors === "off") rejectRemote(uses);
    return await Promise.all(uses.map(async (use): Promise<OpenMcpServer> => {
      const { remote, listed } = use;
      const key = JSON.stringify([use.name, remote?.url, remote?.token, listed]);
      const server = opened.get(key) ?? openServer(use, managed);
      opened.set(key, server);
      return { ...await server, use };
    }));
  }

  async function openServer(use: McpServerUse, managed: ManagedServers | undefined): Promise<SharedServer> {
    const { name, remote, listed } = use;
    const client = await context.loadMcpClient();
    const options = { context, client, signal };
    const connector = remote === undefined
      ? toManagedConnector(name, { ...options, managed })
      : toRemoteConnector(remote, options);
    connectors.push(connector);
    const isAsked = listed === undefined || listed === null || remote === undefined;
    try {
      const { tools, rejected } = isAsked ? await connector.listTools() : client.readToolList(name, listed);
      if (rejected.length > 0) {
        const reasons = rejected.map((tool) => `${tool.name}: ${tool.reason}`);
        logWarning("tools of an MCP server cannot be offered", { server: name, tools: reasons });
      }
      return {
        tools,
        rejected: rejected.map((tool) => tool.name),
        callTool: (tool, input, callSignal) => connector.callTool(tool, input, callSignal),
      };
    } catch (error) {
      signal.throwIfAborted();
      throw toConnectionError(use, error);
    }
  }
}

const NO_SERVERS: Promise<readonly OpenMcpServer[]> = Promise.resolve([]);

/** @throws {ApiError} `invalid_request_error` if a server is one that the client names by URL. */
function rejectRemote(uses: readonly McpServerUse[]): void {
  const remote = uses.find((use) => use.remote !== undefined)?.remote;
  if (remote === undefined) return;
  throw new ApiError(
    "invalid_request_error",
    `${remote.path}: Cannot use MCP server "${remote.name}": the operator has disabled MCP servers by URL`,
  );
}

/**
 * Converts the failure of a connection to the error for the client. Any other error is returned unchanged.
 *
 * Source of the first words: https://github.com/anthropics/anthropic-sdk-python/issues/1029 and recorded answers
 */
function toConnectionError({ name }: McpServerUse, error: unknown): unknown {
  if (!(error instanceof Error) || !/^(?:Tool|Fetch|Mcp|Timeout)Error$/.test(error.name)) return error;
  const status = "status" in error ? error.status : undefined;
  const reason = error.message.replace(/^Cannot .*?": /s, "");
  const text = status === 401 || status === 403
    ? `Authentication error while communicating with MCP server "${name}". Please check your authorization token.`
    : `Connection error while communicating with MCP server "${name}": ${reason}`;
  // Without the cause, which may hold the server's answer: the log has none.
  return new ApiError("invalid_request_error", text);
}
