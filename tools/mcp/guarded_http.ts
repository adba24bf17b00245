import { raceAbort } from "../abort.ts";
import { FetchError, McpError } from "../errors.ts";
import type { Connect, PageResponse } from "../host/web/connect.ts";
import { REDIRECTS } from "../host/web/guarded_fetch.ts";
import { requestTarget } from "../host/web/request_target.ts";
import type { Resolve } from "../host/web/resolve.ts";
import type { After } from "../host/web/time_limit.ts";
import { JsonLimit } from "./json_limit.ts";
import { parseTarget, shortenUrl, type Target } from "../policy/url.ts";

/** The part of `fetch` that an MCP transport uses. */
export type McpFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** Rules and network access of {@linkcode createGuardedHttp}. */
export interface GuardedHttpOptions {
  /** Hosts, as `host:port`, that are exempt from the rules about addresses, ports and encryption. */
  readonly allowHosts: ReadonlySet<string>;
  /** Maximum size of one response, in bytes. */
  readonly maxBytes: number;
  /** Bytes of the responses of all servers that are being read, and their maximum. */
  readonly reading: { bytes: number; readonly maxBytes: number };
  readonly resolve: Resolve;
  readonly connect: Connect;
  readonly after: After;
}

/**
 * Parses the URL of an MCP server. Only the operator's allowed hosts may be private, or use `http`.
 *
 * @throws {FetchError} if the URL may not be requested.
 */
export function parseServerUrl(text: string, allowHosts: ReadonlySet<string>): Target {
  const target = parseTarget(text, allowHosts);
  if (!target.exempt && !/^\s*https:/i.test(text)) {
    throw new FetchError(
      "url_not_allowed",
      `Cannot fetch "${shortenUrl(text)}": it must start with https://`,
    );
  }
  return target;
}

/**
 * Creates the `fetch` of one MCP server. It sends requests to the origin of the server's URL, and follows no redirects.
 *
 * The name is resolved once, and every address checked. All requests go to the address that answered the first one: a
 * call is never sent twice. Responses are not compressed.
 *
 * It throws a {@linkcode FetchError} or {@linkcode McpError} if a request may not be sent, is not answered, or is
 * redirected. A response larger than `maxBytes`, beyond a {@linkcode JsonLimit}, or a stream of more than 100,000 lines
 * fails while its body is read.
 */
export function createGuardedHttp(target: Target, options: GuardedHttpOptions): McpFetch {
  const { resolve, connect, after } = options;
  let pinned: string | undefined;
  return async (input, { method = "GET", headers, body, signal } = {}) => {
    const url = new URL(input);
    if (url.origin !== target.url.origin) {
      throw new McpError("Cannot send the request: its URL has another origin than the server");
    }
    const requestSignal = signal ?? new AbortController().signal;
    const request = {
      method,
      headers: toHeaders(headers),
      ...(typeof body === "string" && { body }),
    };
    let response: PageResponse;
    if (pinned === undefined) {
      const first = await requestTarget({ ...target, url }, {
        resolve,
        connect,
        after,
        signal: requestSignal,
        request,
      });
      pinned = first.address;
      response = first.response;
    } else {
      response = await raceAbort(
        connect({ ...request, url, address: pinned, signal: requestSignal }),
        requestSignal,
      );
    }
    if (REDIRECTS.has(response.status)) {
      response.close();
      throw new McpError("Cannot send the request: the server redirects it, and redirects are not followed");
    }
    return toResponse(response, options);
  };
}

function toHeaders(init: RequestInit["headers"]): Record<string, string> {
  const headers = Object.fromEntries(new Headers(init ?? undefined).entries());
  return { "user-agent": "openrouter-anthropic-server", ...headers, "accept-encoding": "identity" };
}

/** Statuses of responses without a body. Source: https://fetch.spec.whatwg.org/#null-body-status */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);
/** Headers that a transport reads. */
const KEPT_HEADERS = ["content-type", "mcp-session-id", "www-authenticate"];

/** Maximum number of lines in a stream of events. An event of a few bytes takes as much time as a large one. */
const MAX_LINES = 100_000;

/** Limits of a body. */
type BodyLimits = Pick<GuardedHttpOptions, "maxBytes" | "reading">;

function toResponse(response: PageResponse, limits: BodyLimits): Response {
  const { status } = response;
  if (status < 200 || status > 599) {
    response.close();
    throw new McpError(`Cannot read the response: HTTP status ${status} is not valid`);
  }
  const headers = new Headers();
  for (const name of KEPT_HEADERS) {
    const value = response.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  if (NULL_BODY.has(status)) {
    response.close();
    return new Response(null, { status, headers });
  }
  return new Response(toBody(response, limits), { status, headers });
}

function toBody(
  response: PageResponse,
  { maxBytes, reading }: BodyLimits,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = response.body[Symbol.asyncIterator]();
  const isStream = /^\s*text\/event-stream/i.test(response.header("content-type") ?? "");
  const jsonLimit = new JsonLimit();
  let lines = 0;
  let size = 0;
  const end = () => {
    reading.bytes -= size;
    size = 0;
    response.close();
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (done) {
          end();
          return controller.close();
        }
        size += value.byteLength;
        reading.bytes += value.byteLength;
        if (size > maxBytes) {
          throw new McpError(`Cannot read the response: it is larger than ${toMiB(maxBytes)}`);
        }
        if (reading.bytes > reading.maxBytes) {
          throw new McpError(`Cannot read the response: ${toMiB(reading.maxBytes)} of others are being read`);
        }
        if (isStream) lines += countLineBreaks(value);
        if (lines > MAX_LINES) {
          throw new McpError(`Cannot read the response: it has more than ${MAX_LINES} lines`);
        }
        jsonLimit.add(value);
        controller.enqueue(new Uint8Array(value));
      } catch (error) {
        end();
        throw error;
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

function countLineBreaks(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x0A || byte === 0x0D) count++;
  return count;
}

function toMiB(bytes: number): string {
  return `${bytes / (1024 * 1024)} MiB`;
}
