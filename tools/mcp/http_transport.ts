import { type JSONRPCMessage, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { JsonObject } from "../call.ts";
import type { McpFetch } from "./guarded_http.ts";

/** Marks a JSON-RPC error that the gateway wrote, not the server. */
export const GATEWAY_ERROR = Object.freeze({ writtenBy: "gateway" });

/** Options of {@linkcode HttpTransport}. */
export interface HttpTransportOptions {
  headers: Readonly<Record<string, string>>;
  fetch: McpFetch;
  /** Calls a function once after a number of milliseconds. The returned function cancels the call. */
  after(ms: number, run: () => void): () => void;
}

/** Minimum delay before a stream is resumed, whatever the server asks for. */
const MIN_RESUME_MS = 1000;
/** Maximum delay before a stream is resumed. */
const MAX_RESUME_MS = 30_000;
/** Requests of a server that are answered. Each answer is an HTTP request to it. */
const MAX_ANSWERS = 100;
/** Code of a JSON-RPC error without a meaning in the protocol. */
const SERVER_ERROR = -32000;

/**
 * Streamable HTTP without the parts that a gateway does not need.
 *
 * No stream is opened for notifications: they change nothing for a message. No OAuth metadata is requested. A request
 * whose stream ends without a result fails at once. A cancelled request releases its connection.
 */
export class HttpTransport extends StreamableHTTPClientTransport {
  readonly #open = new Map<unknown, AbortController>();
  #answers = 0;

  constructor(url: URL, { headers, fetch, after }: HttpTransportOptions) {
    super(url, {
      requestInit: { headers: { ...headers } },
      // The fetch itself follows no redirect.
      redirectPolicy: "follow",
      fetch: (input, init) => isNotificationStream(init) ? refuseStream() : fetch(input, init),
      reconnectionScheduler: (reconnect, ms) =>
        after(Math.min(Math.max(ms, MIN_RESUME_MS), MAX_RESUME_MS), reconnect),
    });
    // The client keeps this handler, and calls it before its own, with the same object.
    this.onmessage = (message) => {
      if ("method" in message) return;
      this.#open.delete(message.id);
      if ("result" in message) message.result = keepRaw(message.result);
    };
  }

  override async send(
    message: JSONRPCMessage | JSONRPCMessage[],
    options: Parameters<StreamableHTTPClientTransport["send"]>[1] = {},
  ): Promise<void> {
    if (Array.isArray(message)) return await super.send(message, options);
    if (!("method" in message)) {
      return this.#answers++ < MAX_ANSWERS ? await super.send(message, options) : undefined;
    }
    if (!("id" in message)) {
      try {
        return await super.send(message, options);
      } finally {
        if (message.method === "notifications/cancelled") this.#abort(message.params?.requestId);
      }
    }
    const { id } = message;
    const controller = new AbortController();
    this.#open.set(id, controller);
    const { requestSignal = controller.signal } = options;
    const signal = AbortSignal.any([controller.signal, requestSignal]);
    try {
      await super.send(message, {
        ...options,
        requestSignal: signal,
        onRequestStreamEnd: () => {
          options.onRequestStreamEnd?.();
          if (!this.#open.delete(id)) return;
          const error = {
            code: SERVER_ERROR,
            message: "the answer ended without a result",
            data: GATEWAY_ERROR,
          };
          this.onmessage?.({ jsonrpc: "2.0", id, error });
        },
      });
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  #abort(id: unknown): void {
    this.#open.get(id)?.abort();
    this.#open.delete(id);
  }
}

/** Member of a result that holds the result as the server sent it. */
export const RAW_RESULT = "gateway.raw";

/**
 * Wraps a result in an empty one. The client's schemas of the revision 2026-07-28 would reject a whole list because of
 * one tool, and a result because of one block.
 */
function keepRaw(result: JsonObject): JsonObject {
  const { resultType = "complete", tools, content, structuredContent } = result;
  const isWrapped = resultType === "complete" &&
    (tools !== undefined || content !== undefined || structuredContent !== undefined);
  if (!isWrapped) return result;
  return { resultType, ttlMs: 0, cacheScope: "private", tools: [], content: [], [RAW_RESULT]: result };
}

/** True for the request that opens the stream of notifications; false for one that resumes a result. */
function isNotificationStream(init: RequestInit | undefined): boolean {
  return init?.method === "GET" && !new Headers(init.headers ?? undefined).has("last-event-id");
}

/** Answers as a server without such a stream does. */
async function refuseStream(): Promise<Response> {
  return new Response(null, { status: 405 });
}
