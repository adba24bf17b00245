import type { IncomingMessage } from "node:http";
import { readVariable } from "../process.ts";
import { decodeBody } from "./decode_body.ts";

/** Connections that Bun's `fetch` opens, unless the variable `BUN_CONFIG_MAX_HTTP_REQUESTS` had another number when Bun started. */
const DEFAULT_CONNECTIONS = 256;
/** Most connections that the variable can set. */
const MAX_CONNECTIONS = 65535;
/** Connections that are left to other requests of the process. */
const SPARE_CONNECTIONS = 56;

/**
 * Creates a `fetch` for Bun without its timeout for silent connections, and without its limit of connections: further
 * requests go through `node:http`, which takes three times as long for each.
 *
 * A body must be read by `getReader()`, or cancelled. Source: https://bun.sh/docs/api/fetch
 */
export function createBunFetch(
  { maxFetches = readMaxFetches() }: { maxFetches?: number } = {},
): typeof fetch {
  let open = 0;
  return async (input, init) => {
    if (open >= maxFetches) return await fetchByNode(input, init);
    open++;
    let ended = false;
    const end = () => {
      if (!ended) open--;
      ended = true;
    };
    const initWithoutTimeout: RequestInit & { timeout: false } = { ...init, timeout: false };
    try {
      const response = await fetch(input, initWithoutTimeout);
      onBodyEnd(response.body, end);
      return response;
    } catch (error) {
      end();
      throw error;
    }
  };
}

/** Returns the number of requests that go through `fetch` at once. Bun ignores a variable that is no number from 1 to 65535. */
function readMaxFetches(): number {
  const value = readVariable("BUN_CONFIG_MAX_HTTP_REQUESTS") ?? "";
  const isUsed = /^[0-9]{1,5}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_CONNECTIONS;
  return (isUsed ? Number(value) : DEFAULT_CONNECTIONS) - SPARE_CONNECTIONS;
}

/** Calls `end` when a body was read to its end, failed or was cancelled. */
function onBodyEnd(body: ReadableStream<Uint8Array> | null, end: () => void): void {
  if (body === null) return end();
  const [getReader, cancel] = [body.getReader.bind(body), body.cancel.bind(body)];
  Object.assign(body, {
    getReader() {
      const reader = getReader();
      reader.closed.then(end, end);
      return reader;
    },
    cancel(reason?: unknown) {
      end();
      return cancel(reason);
    },
  });
}

/** Sends a request with a text as body. It follows no redirects. */
async function fetchByNode(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const [http, https] = [await import("node:http"), await import("node:https")];
  const url = new URL(input instanceof Request ? input.url : input);
  const { request } = url.protocol === "https:" ? https : http;
  const { method = "GET", headers, body } = init;
  const signal = init.signal ?? undefined;
  signal?.throwIfAborted();
  return await new Promise<Response>((resolve, reject) => {
    const options = { method, headers: Object.fromEntries(new Headers(headers)), signal };
    const sent = request(url, options, (incoming) => resolve(decodeBody(toResponse(incoming))));
    sent.on("error", reject);
    sent.end(typeof body === "string" ? body : undefined);
  });
}

function toResponse(incoming: IncomingMessage): Response {
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? "", incoming.rawHeaders[at + 1] ?? "");
  }
  const { statusCode: status = 502 } = incoming;
  let ended = false;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (run: () => void) => () => {
        if (!ended) run();
        ended = true;
      };
      const fail = end(() => controller.error(new TypeError("The connection was closed")));
      incoming.on("data", (bytes: Uint8Array) => {
        if (ended) return;
        controller.enqueue(bytes);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.on("end", end(() => controller.close())).on("error", fail).on("close", fail).pause();
    },
    pull: () => void incoming.resume(),
    cancel() {
      ended = true;
      incoming.destroy();
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: 64 * 1024 }));
  return new Response(status === 204 || status === 304 ? null : stream, { status, headers });
}
