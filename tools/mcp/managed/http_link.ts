import type { Clock } from "../../clock.ts";
import { McpError } from "../../errors.ts";
import { createRemote } from "../remote.ts";
import type { HttpServer, ServerConfig } from "./server_config.ts";
import type { LinkEnd, OpenOptions, ServerLink } from "./server_link.ts";

/** Options of {@linkcode openHttpLink}. */
export interface HttpOptions extends OpenOptions {
  /** Name and version of the gateway. */
  client: { name: string; version: string };
  maxResultChars: number;
  clock: Clock;
}

/**
 * Connects to a server over streamable HTTP, as {@linkcode OpenLink} says. Its host may be private, because the
 * operator has named it; redirects are not followed. A server that has ended the session counts as ended.
 */
export async function openHttpLink(
  { name, url, headers }: ServerConfig & HttpServer,
  { signal, client, maxResultChars, clock }: HttpOptions,
): Promise<ServerLink> {
  const connect = createRemote({ allowHosts: [toHostAndPort(url)] }, {
    after: (ms, run) => clock.after(ms, run),
  });
  const connection = await connect({ name, url, headers }, { client, signal, maxResultChars });
  let loseSession = () => {};
  const sessionLost = new Promise<LinkEnd>((resolve) => {
    loseSession = () => resolve({ reason: "it has ended the session", clean: false });
  });

  /** Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management */
  async function watch<Result>(exchange: Promise<Result>): Promise<Result> {
    try {
      return await exchange;
    } catch (error) {
      if (error instanceof McpError && error.status === 404) loseSession();
      throw error;
    }
  }

  return {
    connection: {
      listTools: (listSignal) => watch(connection.listTools(listSignal)),
      callTool: (tool, input, callSignal) => watch(connection.callTool(tool, input, callSignal)),
      ping: (pingSignal) => watch(connection.ping(pingSignal)),
      closed: Promise.race([connection.closed, sessionLost.then(() => {})]),
      close: () => connection.close(),
    },
    pid: undefined,
    ended: Promise.race([
      sessionLost,
      connection.closed.then(() => ({ reason: "the connection was closed", clean: false })),
    ]),
    look: async () => {},
    close: () => connection.close(),
  };
}

function toHostAndPort(text: string): string {
  const { hostname, port, protocol } = new URL(text);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}
