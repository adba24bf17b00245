import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { isIP } from "node:net";

/** Asks the host at one address, and no other, for a page. */
export type Connect = (request: PageRequest) => Promise<PageResponse>;

/** What to ask, and at which address. */
export interface PageRequest {
  readonly url: URL;
  readonly address: string;
  /** Closes the connection when it fires, whatever has come by then. */
  readonly signal: AbortSignal;
}

/** What a host answers. */
export interface PageResponse {
  readonly status: number;
  /** A header by its name in lower case. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the connection; what has not been read is lost. */
  close(): void;
}

/** How the gateway names itself to the hosts that it asks. */
const USER_AGENT = "openrouter-anthropic-server (reads pages for a language model)";

/**
 * Asks over a connection of its own, without cookies, proxies or redirects. The address is given as the host, so that
 * nothing is left to resolve; the certificate is checked for the name in the URL.
 */
export function createConnect(options: { ca?: string | undefined } = {}): Connect {
  return ({ url, address, signal }) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (isIP(address) === 0) throw new TypeError("Cannot connect: what was resolved is no address");
      const request = (url.protocol === "https:" ? requestSecure : requestPlain)({
        ...(url.protocol === "https:" ? tlsOptions(url, options.ca) : {}),
        host: address,
        port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
        path: url.pathname + url.search,
        agent: false,
        setHost: false,
        headers: {
          host: url.host,
          "user-agent": USER_AGENT,
          accept: "text/markdown, text/html;q=0.9, text/plain;q=0.8, */*;q=0.5",
          "accept-encoding": "gzip, br",
        },
      });
      const close = () => request.destroy(new Error("The connection is closed"));
      signal.addEventListener("abort", close, { once: true });
      request.on("close", () => signal.removeEventListener("abort", close));
      request.on("error", reject);
      request.on("response", (response) => resolve(toPageResponse(response, close)));
      request.end();
    });
}

/** A host that is named by its address has no name to send along, and is checked by its address. */
function tlsOptions(url: URL, ca: string | undefined): { servername?: string; ca?: string } {
  const isName = /[a-z]/i.test(url.hostname) && !url.hostname.startsWith("[");
  return { ...(isName ? { servername: url.hostname } : {}), ...(ca === undefined ? {} : { ca }) };
}

function toPageResponse(response: IncomingMessage, close: () => void): PageResponse {
  // A connection that breaks once nobody reads any more is nobody's failure; whoever reads is told by the iteration.
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
