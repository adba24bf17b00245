import { ProtocolError, SdkHttpError, SSEClientTransport } from "@modelcontextprotocol/client";
import { FetchError, McpError } from "../errors.ts";
import { type Connect, createConnect } from "../host/web/connect.ts";
import { type Resolve, systemResolve } from "../host/web/resolve.ts";
import { type After, systemAfter } from "../host/web/time_limit.ts";
import { parseAllowHosts, type Target } from "../policy/url.ts";
import { type ConnectOptions, connectTo, type McpConnection, toReason } from "./connection.ts";
import { createGuardedHttp, parseServerUrl } from "./guarded_http.ts";
import { HttpTransport } from "./http_transport.ts";

/** An MCP server that a client names by URL. */
export interface RemoteServer {
  name: string;
  url: string;
  /** Bearer token for the server. */
  token?: string | undefined;
  /** Headers of every request, beside that of the token. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** The operator's policy for MCP servers that clients name. */
export interface RemotePolicy {
  /** Hosts of the operator's network, as `host:port`, that may be used, also without encryption. */
  allowHosts: Iterable<string>;
}

/** Network access and timers; replaced in tests. */
export interface RemoteTransport {
  readonly resolve?: Resolve;
  readonly connect?: Connect;
  readonly after?: After;
}

/** Connects to an MCP server by its URL; see {@linkcode createRemote}. */
export type ConnectRemote = (
  server: RemoteServer,
  options: Omit<ConnectOptions, "name" | "endSession">,
) => Promise<McpConnection>;

/** Maximum size of one response of a server, in bytes. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;
/** Maximum size of all responses that are being read, in bytes. */
const MAX_READING_BYTES = 256 * 1024 * 1024;
/** Time for a server to end a session, in milliseconds. */
const END_SESSION_MS = 2000;

/**
 * Creates the connector to MCP servers that clients name by URL, within the policy.
 *
 * A server is asked by streamable HTTP, first with `initialize`, then with the revision 2026-07-28, which has no such
 * request. If it rejects both, it is asked by server-sent events, as in the first revision of the protocol.
 *
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#backwards-compatibility
 *
 * @throws {TypeError} if an allowed host is not `host:port`.
 */
export function createRemote(
  policy: RemotePolicy,
  { resolve = systemResolve, connect = createConnect(), after = systemAfter }: RemoteTransport = {},
): ConnectRemote {
  const allowHosts = parseAllowHosts(policy.allowHosts);
  const reading = { bytes: 0, maxBytes: MAX_READING_BYTES };
  return async ({ name, url, token, headers: ownHeaders }, options) => {
    const target = parseTarget(name, url);
    const http = createGuardedHttp(target, {
      allowHosts,
      maxBytes: MAX_RESPONSE_BYTES,
      reading,
      resolve,
      connect,
      after,
    });
    const headers = { ...ownHeaders, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    try {
      return await connectByHttp();
    } catch (error) {
      if (!isRejection(error)) throw error;
      // Its first answer says more than those to the other attempts.
      return await connectByHttp("2026-07-28").catch(() => connectByEvents()).catch(() => {
        options.signal.throwIfAborted();
        throw error;
      });
    }

    function parseTarget(server: string, text: string): Target {
      try {
        return parseServerUrl(text, allowHosts);
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        throw new McpError(`Cannot connect to MCP server "${server}": ${toReason(error)}`);
      }
    }

    function connectByHttp(revision?: string): Promise<McpConnection> {
      const transport = new HttpTransport(target.url, { headers, fetch: http, after });
      const endSession = () => within(END_SESSION_MS, transport.terminateSession());
      return connectTo(transport, { ...options, name, revision, endSession });
    }

    function connectByEvents(): Promise<McpConnection> {
      let isOpen = false;
      const transport = new SSEClientTransport(target.url, {
        requestInit: { headers },
        // The fetch itself follows no redirect.
        redirectPolicy: "follow",
        async fetch(input, init) {
          if (init?.method === "POST") return await http(input, init);
          if (!isOpen) {
            isOpen = true;
            return await http(input, init);
          }
          // A stream that has ended is not opened again: its server chooses how often that would be.
          await transport.close();
          return new Response(null, { status: 204 });
        },
      });
      return connectTo(transport, { ...options, name });
    }

    /** Settles like `work`, but at the latest after `ms`. */
    function within(ms: number, work: Promise<void>): Promise<void> {
      return new Promise((settle, fail) => {
        const cancel = after(ms, settle);
        work.then(settle, fail).finally(cancel);
      });
    }
  };
}

/** Statuses of a server that does not know the transport or the revision. */
const UNKNOWN_TRANSPORT = new Set([400, 404, 405, 406, 415, 422, 501]);

/** True if a server has answered, but not as one that knows the transport and the revision. */
function isRejection(error: unknown): boolean {
  if (!(error instanceof McpError)) return false;
  const { cause } = error;
  if (cause instanceof SdkHttpError) return UNKNOWN_TRANSPORT.has(cause.status);
  return cause instanceof ProtocolError;
}
