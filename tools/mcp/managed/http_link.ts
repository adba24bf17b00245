import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { connectTo } from "../connection.ts";
import type { HttpServer, ServerConfig } from "./server_config.ts";
import type { OpenOptions, ServerLink } from "./server_link.ts";

/** Options of {@linkcode openHttpLink}. */
export interface HttpOptions extends OpenOptions {
  /** Name and version of the gateway. */
  client: { name: string; version: string };
  fetch: typeof fetch;
}

/**
 * Connects to a server over streamable HTTP, as {@linkcode OpenLink} says. Redirects are not followed: they would take
 * the headers of the configuration to another host.
 */
export async function openHttpLink(
  { name, url, headers }: ServerConfig & HttpServer,
  { signal, client, fetch }: HttpOptions,
): Promise<ServerLink> {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { ...headers } },
    fetch: (input, init) => fetch(input, { ...init, redirect: "manual", ...(isEnd(init) && endInTime()) }),
  });
  const endSession = () => transport.terminateSession();
  const connection = await connectTo(transport, { name, client, signal, endSession });
  return {
    connection,
    pid: undefined,
    ended: connection.closed.then(() => ({ reason: "the connection was closed", clean: false })),
    look: async () => {},
    close: () => connection.close(),
  };
}

/** The end of a session is a courtesy, which a server that does not answer must not hold up. */
const END_TIMEOUT_MS = 2000;

function isEnd(init: RequestInit | undefined): boolean {
  return init?.method === "DELETE";
}

function endInTime(): RequestInit {
  return { signal: AbortSignal.timeout(END_TIMEOUT_MS) };
}
