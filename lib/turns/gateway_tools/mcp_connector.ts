import type { ToolResult } from "../../../tools/call.ts";
import type { ManagedServers, McpConnection } from "../../../tools/mcp/connection.ts";
import type { McpToolList } from "../../../tools/mcp/tool_list.ts";
import type { JsonObject } from "../../base/json.ts";
import { VERSION } from "../../base/version.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { RemoteServer } from "../../server_tools/mcp/mcp_servers.ts";
import type { MessageContext } from "../context.ts";
import type { McpClient } from "../load_tools.ts";

/** The parts of the context that the connections of a message need. */
export type McpContext = Pick<MessageContext, "config" | "clock" | "loadMcpClient" | "loadManagedServers">;

/** Access to one MCP server for one message. It connects when it is first used. */
export interface McpConnector {
  /**
   * Lists the server's tools.
   *
   * @throws {McpError} if the server does not answer.
   * @throws a `TimeoutError` after `MCP_CONNECT_TIMEOUT`.
   */
  listTools(): Promise<McpToolList>;
  /**
   * Calls a tool.
   *
   * @throws {McpError} if the server does not answer.
   * @throws the reason of the signal, if it is aborted.
   */
  callTool(name: string, input: JsonObject, signal: AbortSignal): Promise<ToolResult>;
  /** Closes the connection, unless other messages share it. Never rejects. */
  close(): Promise<void>;
}

/** Options of a connector. */
export interface ConnectorOptions {
  context: McpContext;
  client: McpClient;
  /** Fires when the message is cancelled. */
  signal: AbortSignal;
}

/** Creates the connector to a server that the operator manages. A server that has stopped is started again. */
export function toManagedConnector(
  name: string,
  { context, signal, managed }: ConnectorOptions & { managed: ManagedServers | undefined },
): McpConnector {
  const connect = async (connectSignal: AbortSignal) => {
    if (managed === undefined) throw new TypeError(`Cannot connect to MCP server "${name}": none is managed`);
    return await managed.connect(name, connectSignal);
  };
  return {
    async listTools() {
      // The start of a server has a timeout of its own.
      const connection = await connect(signal);
      return await withTimeout(toTimeout(context, signal), (listSignal) => connection.listTools(listSignal));
    },
    async callTool(tool, input, callSignal) {
      const connection = await connect(callSignal);
      return await connection.callTool(tool, input, callSignal);
    },
    close: () => Promise.resolve(),
  };
}

/** Creates the connector to a server that the client names by URL. */
export function toRemoteConnector(
  { name, url, token }: RemoteServer,
  { context, client, signal }: ConnectorOptions,
): McpConnector {
  let connecting: Promise<McpConnection> | undefined;
  const connect = () => {
    connecting ??= open().then((connection) => {
      const used = connecting;
      // The next call connects again.
      void connection.closed.then(() => connecting = connecting === used ? undefined : connecting);
      return connection;
    }, (error) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };
  const open = () =>
    withTimeout(toTimeout(context, signal), (connectSignal) =>
      client.connect({ name, url, token }, {
        client: { name: "openrouter-anthropic-server", version: VERSION },
        signal: connectSignal,
        maxResultChars: context.config.mcpResultChars,
      }));
  return {
    async listTools() {
      const connection = await connect();
      return await withTimeout(toTimeout(context, signal), (listSignal) => connection.listTools(listSignal));
    },
    async callTool(tool, input, callSignal) {
      const used = connect();
      const connection = await used;
      try {
        return await connection.callTool(tool, input, callSignal);
      } catch (error) {
        // The server has ended the session, and did not run the call.
        // Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
        const isSessionLost = error instanceof Error && "status" in error && error.status === 404;
        if (!isSessionLost) throw error;
        // A concurrent call may have replaced the connection already.
        if (connecting === used) {
          connecting = undefined;
          void connection.close();
        }
        return await (await connect()).callTool(tool, input, callSignal);
      }
    },
    async close() {
      const connection = await connecting?.catch(() => undefined);
      await connection?.close();
    },
  };
}

interface Timeout {
  clock: Clock;
  ms: number;
  signal: AbortSignal;
}

function toTimeout({ clock, config }: McpContext, signal: AbortSignal): Timeout {
  return { clock, ms: config.mcpConnectTimeout * 1000, signal };
}

/** Runs work with a signal that also fires after a time. */
async function withTimeout<Result>(
  { clock, ms, signal }: Timeout,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const onTimeout = () =>
    controller.abort(new DOMException(`it did not answer within ${ms / 1000} s`, "TimeoutError"));
  const cancel = clock.after(ms, onTimeout);
  try {
    return await work(AbortSignal.any([signal, controller.signal]));
  } finally {
    cancel();
  }
}
