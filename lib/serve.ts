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
export type Handler = (request: Request) => Promise<Response>;

/** Where to listen; `grace` is how many milliseconds a stop leaves to requests that are open. */
export type ServeOptions = { port: number; host: string; grace?: number };

/** A server that runs. */
export type Served = {
  /** Where it answers, as a client on this machine writes it. */
  url: string;
  port: number;
  /** Takes no new connections, lets open requests finish for a while, then waits for them no longer. */
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
 * const server = await serve(async () => new Response("hello"), { port: 0, host: "127.0.0.1" });
 * await server.stop();
 * ```
 */
export async function serve(handler: Handler, { port, host, grace = 5000 }: ServeOptions): Promise<Served> {
  const listener = await listen(handler, { port, host }).catch((error) => {
    const reason = REASONS[error.code] ?? REASONS[error.name] ?? error.message;
    throw new ListenError(`Cannot listen on "${toAddress(host)}:${port}": ${reason}`, { cause: error });
  });
  return {
    url: `http://${toAddress(LOOPBACKS[host] ?? host)}:${listener.port}`,
    port: listener.port,
    async stop() {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => resolve(listener.cut()), grace);
        listener.close().then(() => resolve(clearTimeout(timer)));
      });
    },
  };
}

/** A socket that is listened on: `close` takes nothing new and waits for what is open, `cut` ends that. */
type Listener = { port: number; close(): Promise<void>; cut(): void };
type Address = { port: number; host: string };

async function listen(handler: Handler, address: Address): Promise<Listener> {
  if (typeof Deno !== "undefined") return listenOnDeno(Deno, handler, address);
  if (typeof Bun !== "undefined") return listenOnBun(Bun, handler, address);
  return listenOnNode(handler, address);
}

function listenOnDeno(deno: NonNullable<typeof Deno>, handler: Handler, { port, host }: Address): Listener {
  const server = deno.serve({ port, hostname: host, onListen: () => {} }, (request) => handler(request));
  // Once it shuts down, Deno has no way to cut what is open; the end of the program does that.
  return { port: server.addr.port, close: () => server.shutdown(), cut: () => {} };
}

function listenOnBun(bun: NonNullable<typeof Bun>, handler: Handler, { port, host }: Address): Listener {
  const fetch = (request: Request) => handler(request);
  // By default Bun cuts streams that are silent for 10 seconds, and shows the stack of an error to the client.
  const server = bun.serve({ port, hostname: host, idleTimeout: 0, development: false, fetch });
  return { port: server.port, close: () => server.stop(), cut: () => server.stop(true) };
}

async function listenOnNode(handler: Handler, { port, host }: Address): Promise<Listener> {
  const { createServer } = await import("node:http");
  const { getRequestListener } = await import("@hono/node-server");
  // Node's time limits are for requests that are slow to arrive; an answer may be silent for as long as it likes.
  const server = createServer(getRequestListener((request) => handler(request)));
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(port, host, resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    close: () => {
      server.keepAliveTimeout = 1; // a connection whose request is done is not to be waited for
      return new Promise((resolve) => server.close(() => resolve()));
    },
    cut: () => server.closeAllConnections(),
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
