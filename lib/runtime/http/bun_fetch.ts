import type { IncomingMessage } from "node:http";
import { readVariable } from "../process.ts";
import { decodeResponse } from "./decode_body.ts";
import { PushedBytes } from "./pushed_bytes.ts";
import {
  NULL_BODY_STATUSES,
  toFetch,
  toReadStatus,
  toUpstreamResponse,
  type Transport,
  type UpstreamResponse,
} from "./transport.ts";

/**
 * Connections that Bun's `fetch` opens, unless the variable `BUN_CONFIG_MAX_HTTP_REQUESTS` had another number when Bun
 * started.
 */
const DEFAULT_CONNECTIONS = 256;
/** Most connections that the variable can set. */
const MAX_CONNECTIONS = 65535;
/** Connections that are left to other requests of the process. */
const SPARE_CONNECTIONS = 56;

/**
 * Creates a `fetch` for Bun without its timeout for silent connections, and without its limit of connections: further
 * requests go through `node:http`, which takes longer for each. It follows no redirects there.
 *
 * A body must be read to its end, or cancelled. Source: https://bun.sh/docs/api/fetch
 */
export function createBunFetch(
  { maxFetches = readMaxFetches() }: { maxFetches?: number } = {},
): typeof fetch {
  let open = 0;
  const end = () => void open--;
  const openReader = (body: ReadableStream<Uint8Array>) => {
    const reader = body.getReader();
    reader.closed.then(end, end);
    return reader;
  };
  return toFetch(async (url, init) => {
    if (open >= maxFetches) return await sendByNode(url, init);
    open++;
    const initWithoutTimeout: RequestInit & { timeout: false } = { ...init, timeout: false };
    let response: Response;
    try {
      response = await fetch(url, initWithoutTimeout);
    } catch (error) {
      end();
      throw error;
    }
    if (response.body === null) end();
    return toUpstreamResponse(response, openReader);
  });
}

/**
 * Returns the number of requests that go through `fetch` at once. Bun ignores a variable that is no number from 1 to
 * 65535.
 */
function readMaxFetches(): number {
  const value = readVariable("BUN_CONFIG_MAX_HTTP_REQUESTS") ?? "";
  const isUsed = /^[0-9]{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_CONNECTIONS;
  return (isUsed ? Number(value) : DEFAULT_CONNECTIONS) - SPARE_CONNECTIONS;
}

/** Sends a request with a text as body. */
const sendByNode: Transport = async (url, { method = "GET", headers, body, signal }) => {
  const { request } = /^https:/i.test(url) ? await import("node:https") : await import("node:http");
  signal?.throwIfAborted();
  return await new Promise<UpstreamResponse>((resolve, reject) => {
    const options = {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      ...(signal && { signal }),
    };
    const sent = request(url, options, (incoming) => resolve(decodeResponse(toUpstream(incoming))));
    sent.on("error", reject);
    sent.end(typeof body === "string" ? body : undefined);
  });
};

function toUpstream(incoming: IncomingMessage): UpstreamResponse {
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? "", incoming.rawHeaders[at + 1] ?? "");
  }
  const status = toReadStatus(incoming.statusCode ?? 502);
  if (!NULL_BODY_STATUSES.has(status)) return { status, headers, body: new IncomingBytes(incoming) };
  incoming.resume(); // bytes that a server sends nevertheless would keep the connection
  return { status, headers, body: undefined };
}

/** The body of a response of `node:http`. */
class IncomingBytes extends PushedBytes {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    super();
    this.#incoming = incoming;
    const fail = () => this.end(new TypeError("The connection was closed"));
    incoming.on("data", (piece: Uint8Array) => this.add(piece)).on("end", () => this.end());
    incoming.on("error", fail).on("close", fail);
  }

  protected pause(): void {
    this.#incoming.pause();
  }

  protected resume(): void {
    this.#incoming.resume();
  }

  protected close(): void {
    this.#incoming.destroy();
  }
}
