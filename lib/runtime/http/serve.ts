import { setBodyReader, WholeBody } from "./direct_request.ts";
import { toAddress, toLocalUrl } from "../../base/local_url.ts";

// The parts of Deno's and Bun's APIs that are used here; undefined on other runtimes.
declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen: () => void },
    handler: (request: Request) => Promise<Response>,
  ): { addr: { port: number }; finished: Promise<void>; shutdown(): Promise<void> };
} | undefined;
declare const Bun: {
  serve(
    options: {
      port: number;
      hostname: string;
      idleTimeout: number;
      development: boolean;
      maxRequestBodySize: number;
      fetch: (request: Request) => Promise<Response>;
    },
  ): { port: number; stop(cut?: boolean): Promise<void> };
} | undefined;

/** Request handler of a server. */
export type FetchHandler = {
  fetch(request: Request): Promise<Response>;
  /** Settles when all open answers have ended. The server keeps their connections open until then. */
  stop?(): Promise<void>;
};

/** Address to listen on, and timeouts for a request's headers and body in seconds; 0 is no limit. */
export type ServeOptions = {
  port: number;
  host: string;
  headerTimeout?: number;
  bodyTimeout?: number;
  /** Set if clients may upload batches and files: the handler gives their bodies more time. */
  dataDir?: string | undefined;
  dataUrl?: string | undefined;
  /** Called if the server could accept no connection, and listens again. Node.js and Bun go on by themselves. */
  onAcceptError?: (error: unknown) => void;
};

/** Limit for bodies on Bun, whose default of 128 MiB is less than a file may have. The handler has limits for each. */
const MAX_BODY_BYTES = 600 * 1024 * 1024;

/** Times that the handler starts the timeout of the largest body again. */
const MAX_BODY_ROUNDS = 64;

/** A running server. */
export type RunningServer = {
  /** URL for clients on this machine. */
  url: string;
  port: number;
  /** Accepts no new connections, waits until the handler has ended open answers, then cuts remaining connections. */
  stop(): Promise<void>;
};

/** Thrown if a server cannot listen. The message has the address and the reason. */
export class ListenError extends Error {
  override name = "ListenError";
}

/**
 * Starts the runtime's own HTTP server. Its idle timeouts are disabled, so that silent streams stay open.
 *
 * @throws {ListenError} if the server cannot listen on the address.
 *
 * @example Usage
 * ```ts
 * import { serve } from "./serve.ts";
 *
 * const server = await serve({ fetch: async () => new Response("hello") }, { port: 0, host: "127.0.0.1" });
 * await server.stop();
 * ```
 */
export async function serve(handler: FetchHandler, options: ServeOptions): Promise<RunningServer> {
  const { port, host } = options;
  const listener = await listen(handler, options).catch((error) => {
    const reason = REASONS[error.code] ?? REASONS[error.name] ?? error.message;
    throw new ListenError(`Cannot listen on "${toAddress(host)}:${port}": ${reason}`, { cause: error });
  });
  return {
    url: toLocalUrl(host, listener.port),
    port: listener.port,
    async stop() {
      const closed = listener.close();
      await handler.stop?.();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => resolve(listener.closeAll()), DRAIN_TIMEOUT_MS);
        closed.then(() => resolve(clearTimeout(timer)));
      });
    },
  };
}

/** A listening server. `close` accepts no new connections and waits for open ones; `closeAll` cuts them. */
type Listener = { port: number; close(): Promise<void>; closeAll(): void };

/** Time for clients to receive the rest of their answers before their connections are cut, in milliseconds. */
const DRAIN_TIMEOUT_MS = 1000;

async function listen(handler: FetchHandler, options: ServeOptions): Promise<Listener> {
  if (typeof Deno !== "undefined") return listenOnDeno(Deno, handler, options);
  if (typeof Bun !== "undefined") return listenOnBun(Bun, handler, options);
  return listenOnNode(handler, options);
}

function listenOnDeno(
  deno: NonNullable<typeof Deno>,
  handler: FetchHandler,
  { port, host, onAcceptError }: ServeOptions,
): Listener {
  let stopped = false;
  const start = (onPort: number) => {
    const started = deno.serve({ port: onPort, hostname: host, onListen: () => {} }, (request) => {
      collectSmallBody(request);
      return handler.fetch(request);
    });
    // Deno's server ends if it cannot accept a connection, such as without a free file descriptor.
    started.finished.catch((error) => {
      server = undefined;
      onAcceptError?.(error);
      restart(started.addr.port);
    });
    return started;
  };
  const restart = (onPort: number) =>
    setTimeout(() => {
      if (stopped) return;
      try {
        server = start(onPort);
      } catch {
        restart(onPort); // for the reason that was reported
      }
    }, RESTART_MS);
  const first = start(port);
  let server: typeof first | undefined = first;
  return {
    port: first.addr.port,
    async close() {
      stopped = true;
      await server?.shutdown();
    },
    // Deno cannot cut open connections once its shutdown has started; the end of the program does.
    closeAll: () => {},
  };
}

/** Time until a server on Deno that has failed listens again, in milliseconds. */
const RESTART_MS = 100;

function listenOnBun(
  bun: NonNullable<typeof Bun>,
  handler: FetchHandler,
  { port, host }: ServeOptions,
): Listener {
  const fetch = (request: Request) => {
    collectSmallBody(request);
    return handler.fetch(request);
  };
  // Bun's defaults cut streams after 10 s of silence and send error stacks to clients. Its limit of 10 s for a
  // request's headers stays in force.
  const server = bun.serve({
    port,
    hostname: host,
    idleTimeout: 0,
    development: false,
    maxRequestBodySize: MAX_BODY_BYTES,
    fetch,
  });
  return { port: server.port, close: () => server.stop(), closeAll: () => server.stop(true) };
}

/** Lets Deno and Bun collect a small body by themselves, which takes less time than its stream. */
function collectSmallBody(request: Request): void {
  const size = statedSize(request);
  if (size <= MAX_SMALL_BYTES) setBodyReader(request, new WholeBody(() => request.bytes(), size));
}

/** Size of a body that the runtime may collect by itself, in bytes. */
const MAX_SMALL_BYTES = 64 * 1024;

/** Returns the size of a body that its header states; infinite without. The servers read no more bytes than that. */
function statedSize({ headers }: Request): number {
  const length = headers.get("content-length");
  return length === null || headers.has("transfer-encoding") ? Infinity : Number(length);
}

async function listenOnNode(handler: FetchHandler, options: ServeOptions): Promise<Listener> {
  const { port, host } = options;
  const { createServer } = await import("node:http");
  const { toNodeListener } = await import("./node_server.ts");
  const server = createServer(toServerOptions(options), toNodeListener((request) => handler.fetch(request)));
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(port, host, resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    close: () => {
      server.keepAliveTimeout = 1; // idle connections must not delay the close
      return new Promise((resolve) => server.close(() => resolve()));
    },
    closeAll: () => server.closeAllConnections(),
  };
}

/** Returns Node's timeouts for slow requests. Answers have no idle timeout. */
function toServerOptions({ headerTimeout = 0, bodyTimeout = 0, dataDir, dataUrl }: ServeOptions) {
  // The handler enforces the body's timeout and reports it to the client. This timeout covers bodies that are not read.
  const bodySeconds = bodyTimeout * ((dataDir ?? dataUrl) === undefined ? 1 : MAX_BODY_ROUNDS);
  const totalSeconds = headerTimeout > 0 && bodyTimeout > 0 ? headerTimeout + bodySeconds + 1 : 0;
  return {
    headersTimeout: headerTimeout * 1000,
    requestTimeout: totalSeconds * 1000,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 16 * 1024,
  };
}

const REASONS: Record<string, string> = {
  EADDRINUSE: "the port is in use, --port selects another",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "unknown host",
  EACCES: "permission denied",
  NotCapable: "Deno was started without --allow-net",
};
