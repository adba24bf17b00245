import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { openDenoTls, USES_DENO_TLS } from "./deno_tls.ts";

/** Sends a request to the host at one address, and no other. */
export type Connect = (request: PageRequest) => Promise<PageResponse>;

/** A request, and the address to connect to. */
export interface PageRequest {
  readonly url: URL;
  /** Default: `GET`. */
  readonly method?: string | undefined;
  /** Replaces the headers that a page is requested with. `host` is always set. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** IP address. */
  readonly address: string;
  /** Closes the connection when it fires, even in the middle of the response. */
  readonly signal: AbortSignal;
}

/** Response of a host. */
export interface PageResponse {
  readonly status: number;
  /** Returns a header by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the connection; unread content is lost. */
  close(): void;
}

/** Headers of a request for a page. */
const PAGE_HEADERS = {
  "user-agent": "openrouter-anthropic-server (reads pages for a language model)",
  accept: "text/markdown, text/html;q=0.9, text/plain;q=0.8, */*;q=0.5",
  "accept-encoding": "gzip, br",
};

/**
 * Creates a client that opens a new connection for each request, without cookies, proxies or redirects.
 *
 * The address is passed as the host, so no name is resolved. The certificate is checked for the name in the URL.
 */
export function createConnect({ ca }: { ca?: string | undefined } = {}): Connect {
  return async (request) => {
    const { url, address, signal } = request;
    signal.throwIfAborted();
    if (isIP(address) === 0) throw new TypeError("Cannot connect: the resolved value is not an IP address");
    const isSecure = url.protocol === "https:";
    const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
    const socket = isSecure && USES_DENO_TLS
      ? await openDenoTls({ address, port, hostname: url.hostname, ca, signal })
      : undefined;
    return await sendRequest(request, { port, socket, ca });
  };
}

function sendRequest(
  { url, method = "GET", headers = PAGE_HEADERS, body, address, signal }: PageRequest,
  { port, socket, ca }: { port: number; socket: Duplex | undefined; ca: string | undefined },
): Promise<PageResponse> {
  const isSecure = url.protocol === "https:" && socket === undefined;
  return new Promise((resolve, reject) => {
    const request = (isSecure ? requestSecure : requestPlain)({
      ...(isSecure ? tlsOptions(url, ca) : {}),
      // An agent, even none (`false`), would open its own connection.
      ...(socket === undefined ? { agent: false as const } : { createConnection: () => socket }),
      host: address,
      port,
      path: url.pathname + url.search,
      method,
      setHost: false,
      headers: {
        ...headers,
        host: url.host,
        ...(body !== undefined && { "content-length": String(new TextEncoder().encode(body).byteLength) }),
      },
    });
    const close = () => request.destroy(new Error("The connection was closed"));
    signal.addEventListener("abort", close, { once: true });
    if (signal.aborted) close();
    request.on("close", () => signal.removeEventListener("abort", close));
    request.on("error", reject);
    request.on("response", (response) => resolve(toPageResponse(response, close)));
    request.end(body);
  });
}

/** Omits `servername` for a host that is an IP address: its certificate is checked for the address. */
function tlsOptions(url: URL, ca: string | undefined): { servername?: string; ca?: string } {
  const isName = /[a-z]/i.test(url.hostname) && !url.hostname.startsWith("[");
  return { ...(isName ? { servername: url.hostname } : {}), ...(ca === undefined ? {} : { ca }) };
}

function toPageResponse(response: IncomingMessage, close: () => void): PageResponse {
  // An error after the last read is irrelevant. An error during a read is thrown by the iteration.
  response.on("error", () => {});
  return {
    status: response.statusCode ?? 0,
    header(name) {
      const value = response.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    body: response,
    close,
  };
}
