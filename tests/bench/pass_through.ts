// A bare pass-through: `RUNTIME pass_through.ts UPSTREAM_URL`. It prints its URL.

// The parts of Deno's and Bun's APIs that are used here; undefined on other runtimes.
declare const Deno: {
  args: string[];
  serve(options: { port: number; hostname: string; onListen: () => void }, handler: Handler): Server;
} | undefined;
declare const Bun: {
  argv: string[];
  serve(options: { port: number; hostname: string; idleTimeout: number; fetch: Handler }): { port: number };
} | undefined;
type Handler = (request: Request) => Promise<Response>;
type Server = { addr: { port: number } };

const [upstream = ""] = typeof Deno === "undefined" ? process.argv.slice(2) : Deno.args;

const handler: Handler = async (request) => {
  if (request.method !== "POST") return new Response("ok");
  const headers = { "content-type": "application/json" };
  const body = await request.arrayBuffer();
  const answer = await fetch(upstream + new URL(request.url).pathname, { method: "POST", headers, body });
  const type = answer.headers.get("content-type") ?? "application/json";
  return new Response(answer.body, { status: answer.status, headers: { "content-type": type } });
};

console.log(`http://127.0.0.1:${await listen(handler)}`);

async function listen(fetch: Handler): Promise<number> {
  const hostname = "127.0.0.1";
  if (typeof Deno !== "undefined") return Deno.serve({ port: 0, hostname, onListen() {} }, fetch).addr.port;
  if (typeof Bun !== "undefined") return Bun.serve({ port: 0, hostname, idleTimeout: 0, fetch }).port;
  const { serve } = await import("@hono/node-server");
  return await new Promise((resolve) => serve({ port: 0, hostname, fetch }, ({ port }) => resolve(port)));
}
