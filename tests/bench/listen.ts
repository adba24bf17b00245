/** Answers a request to a target of the benchmark. */
export type Handler = (request: Request) => Promise<Response>;

// The parts of Deno's and Bun's APIs that are used here; undefined on other runtimes.
declare const Deno: {
  args: string[];
  serve(options: { port: number; hostname: string; onListen: () => void }, handler: Handler): Server;
} | undefined;
declare const Bun: {
  argv: string[];
  serve(options: { port: number; hostname: string; idleTimeout: number; fetch: Handler }): { port: number };
} | undefined;
type Server = { addr: { port: number } };

/** Returns the first argument of the program, on any runtime. */
export function readArgument(): string {
  const [argument = ""] = typeof Deno === "undefined" ? process.argv.slice(2) : Deno.args;
  return argument;
}

/** Listens on a free port of loopback, and returns it. */
export async function listen(fetch: Handler): Promise<number> {
  const hostname = "127.0.0.1";
  if (typeof Deno !== "undefined") return Deno.serve({ port: 0, hostname, onListen() {} }, fetch).addr.port;
  if (typeof Bun !== "undefined") return Bun.serve({ port: 0, hostname, idleTimeout: 0, fetch }).port;
  const { serve } = await import("@hono/node-server");
  return await new Promise((resolve) => serve({ port: 0, hostname, fetch }, ({ port }) => resolve(port)));
}
