// What Deno and Bun have of their own, as far as it is used here; elsewhere there are no such globals.
declare const Deno: {
  serve(
    options: { port: number; hostname: string; onListen: () => void },
    handler: (request: Request) => Promise<Response>,
  ): { addr: { port: number }; shutdown(): Promise<void> };
} | undefined;
declare const Bun: {
  serve(
    options: {
      port: number;
      hostname: string;
      idleTimeout: number;
      development: boolean;
      fetch: (request: Request) => Promise<Response>;
    },
  ): { port: number; stop(cut?: boolean): Promise<void> };
} | undefined;

/** What answers requests. */
export type FetchHandler = {
  fetch(request: Request): Promise<Response>;
  /** Settles when the answers that are open have ended; the server is not cut before. */
  stop?(): Promise<void>;
};

/** Where to listen, and how long clients may take, in seconds; 0 is no limit. */
export type ServeOptions = { port: number; host: string; headerTimeout?: number; bodyTimeout?: number };

/** A server that runs. */
export type RunningServer = {
  /** Where it answers, as a client on this machine writes it. */
  url: string;
  port: number;
  /** Takes no new connections, lets the handler end what is open, then cuts what remains. */
  stop(): Promise<void>;
};

/** Thrown where a server cannot listen; says where that is, and why. */
export class ListenError extends Error {
  override name = "ListenError";
}

/**
 * Serves with the runtime's own server, set up so that no stream is cut for being silent.
 *
 * @throws {ListenError}
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
    url: `http://${toAddress(LOOPBACKS[host] ?? host)}:${listener.port}`,
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

/** A socket that is listened on: `close` takes nothing new and waits for what is open, `closeAll` ends that. */
type Listener = { port: number; close(): Promise<void>; closeAll(): void };

/** How long clients have to take what is still on its way to them, in milliseconds, before they are cut. */
const DRAIN_TIMEOUT_MS = 1000;

async function listen(handler: FetchHandler, options: ServeOptions): Promise<Listener> {
  if (typeof Deno !== "undefined") return listenOnDeno(Deno, handler, options);
  if (typeof Bun !== "undefined") return listenOnBun(Bun, handler, options);
  return listenOnNode(handler, options);
}

function listenOnDeno(
  deno: NonNullable<typeof Deno>,
  handler: FetchHandler,
  { port, host }: ServeOptions,
): Listener {
  const server = deno.serve(
    { port, hostname: host, onListen: () => {} },
    (request) => handler.fetch(request),
  );
  // Once it shuts down, Deno has no way to cut what is open; the end of the program does that.
  return { port: server.addr.port, close: () => server.shutdown(), closeAll: () => {} };
}

function listenOnBun(
  bun: NonNullable<typeof Bun>,
  handler: FetchHandler,
  { port, host }: ServeOptions,
): Listener {
  const fetch = (request: Request) => handler.fetch(request);
  // By default Bun cuts streams that are silent for 10 seconds, and shows the stack of an error to the client. Headers
  // must be there after 10 seconds all the same.
  const server = bun.serve({ port, hostname: host, idleTimeout: 0, development: false, fetch });
  return { port: server.port, close: () => server.stop(), closeAll: () => server.stop(true) };
}

async function listenOnNode(handler: FetchHandler, options: ServeOptions): Promise<Listener> {
  const { port, host } = options;
  const { createServer } = await import("node:http");
  const { getRequestListener } = await import("@hono/node-server");
  const server = createServer(
    toServerOptions(options),
    getRequestListener((request) => handler.fetch(request)),
  );
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(port, host, resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    close: () => {
      server.keepAliveTimeout = 1; // a connection whose request is done is not to be waited for
      return new Promise((resolve) => server.close(() => resolve()));
    },
    closeAll: () => server.closeAllConnections(),
  };
}

/** Node's limits for requests that are slow to arrive; an answer may be silent for as long as it likes. */
function toServerOptions({ headerTimeout = 0, bodyTimeout = 0 }: ServeOptions) {
  // The handler has the body's time, and says so to the client; this is for bodies that no handler reads.
  const totalSeconds = headerTimeout > 0 && bodyTimeout > 0 ? headerTimeout + bodyTimeout + 1 : 0;
  return {
    headersTimeout: headerTimeout * 1000,
    requestTimeout: totalSeconds * 1000,
    connectionsCheckingInterval: 1000,
    maxHeaderSize: 16 * 1024,
  };
}

const LOOPBACKS: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

const REASONS: Record<string, string> = {
  EADDRINUSE: "the port is in use, another one can be had with --port",
  EADDRNOTAVAIL: "this machine has no such address",
  ENOTFOUND: "there is no such host",
  EACCES: "this user may not",
  NotCapable: "Deno was started without --allow-net",
};

/** An address of IPv6 stands in brackets before a port. */
function toAddress(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
