import type { Clock } from "../../clock.ts";
import { McpError } from "../../errors.ts";
import type { McpConnection } from "../connection.ts";
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
 * operator has named it; redirects are not followed.
 *
 * If the server has lost the session, a new one is begun, and the exchange repeated: the server did not run it. A
 * server that cannot be reached then counts as ended.
 *
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
export async function openHttpLink(
  { name, url, headers }: ServerConfig & HttpServer,
  { signal, client, maxResultChars, clock }: HttpOptions,
): Promise<ServerLink> {
  const open = createRemote({ allowHosts: [toHostAndPort(url)] }, {
    after: (ms, run) => clock.after(ms, run),
  });
  const connect = (connectSignal: AbortSignal) =>
    open({ name, url, headers }, { client, signal: connectSignal, maxResultChars });
  let current = await connect(signal);
  let reconnecting: Promise<McpConnection> | undefined;
  let finish = (_end: LinkEnd) => {};
  const ended = new Promise<LinkEnd>((resolve) => finish = resolve);

  /** Replaces a connection whose session is lost. Exchanges that fail at the same time share the new one. */
  function reconnect(lost: McpConnection, exchangeSignal: AbortSignal): Promise<McpConnection> {
    if (current !== lost) return Promise.resolve(current);
    return reconnecting ??= connect(exchangeSignal).then((connection) => {
      void lost.close();
      return current = connection;
    }).catch((error) => {
      finish({ reason: "it has lost the session, and cannot be reached", clean: false });
      throw error;
    }).finally(() => reconnecting = undefined);
  }

  async function exchange<Result>(
    run: (connection: McpConnection) => Promise<Result>,
    exchangeSignal: AbortSignal,
  ): Promise<Result> {
    const used = current;
    try {
      return await run(used);
    } catch (error) {
      if (!(error instanceof McpError) || error.status !== 404) throw error;
      return await run(await reconnect(used, exchangeSignal));
    }
  }

  const close = async () => {
    await current.close();
    finish({ reason: "the connection was closed", clean: false });
  };
  return {
    connection: {
      listTools: (listSignal) => exchange((connection) => connection.listTools(listSignal), listSignal),
      callTool: (tool, input, callSignal) =>
        exchange((connection) => connection.callTool(tool, input, callSignal), callSignal),
      ping: (pingSignal) => exchange((connection) => connection.ping(pingSignal), pingSignal),
      closed: ended.then(() => {}),
      close,
    },
    pid: undefined,
    ended,
    look: async () => {},
    close,
  };
}

function toHostAndPort(text: string): string {
  const { hostname, port, protocol } = new URL(text);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}
