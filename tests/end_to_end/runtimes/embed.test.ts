import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { createGateway, type Gateway } from "../../../mod.ts";

// The APIs of Deno and Bun that README.md uses.
declare const Deno: {
  serve(options: object, fetch: Fetch): { addr: { port: number }; shutdown(): Promise<void> };
} | undefined;
declare const Bun: {
  serve(options: object): { port: number; stop(cut: boolean): Promise<void> };
} | undefined;

type Fetch = (request: Request) => Response | Promise<Response>;
type Running = { url: string; stop(): Promise<void> };

/** The ways to embed the gateway in README.md, on the server of the runtime. */
const WAYS: Record<string, (gateway: Gateway) => Promise<Running>> = {
  "this runtime's server": (gateway) => serve(gateway.fetch),
  "Hono, below a path": async (gateway) => {
    const server = await serve(new Hono().mount("/ai", gateway.fetch).fetch);
    return { ...server, url: `${server.url}/ai` };
  },
};

for (const [name, start] of Object.entries(WAYS)) {
  test(`createGateway() inside ${name} streams its answer`, async () => {
    const server = await start(createGateway());
    const response = await ask(server, { model: "demo/echo", stream: true });
    assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
    assert.match(await response.text(), /^event: message_start\n[^]*\nevent: message_stop\n.*\n\n$/);
    await server.stop();
  });

  for (const stream of [true, false]) {
    const when = stream ? "streams" : "does not stream";
    test(
      `createGateway() inside ${name} stops the upstream when a client that ${when} disconnects`,
      { timeout: 30_000 },
      async () => {
        const { fetch, requested, cancelled } = createSilentUpstream();
        const server = await start(createGateway({ settings: { OPENROUTER_API_KEY: "k" }, fetch }));
        const client = new AbortController();
        const answer = ask(server, { model: "openai/gpt-5", stream, signal: client.signal });
        await requested;
        client.abort();
        await assert.rejects(answer, { name: "AbortError" });
        await cancelled;
        await server.stop();
      },
    );
  }
}

async function serve(fetch: Fetch): Promise<Running> {
  const local = { port: 0, hostname: "127.0.0.1" };
  if (typeof Deno !== "undefined") {
    const server = Deno.serve({ ...local, onListen: () => {} }, fetch);
    return { url: `http://127.0.0.1:${server.addr.port}`, stop: () => server.shutdown() };
  }
  if (typeof Bun !== "undefined") {
    const server = Bun.serve({ ...local, fetch, idleTimeout: 0 });
    return { url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
  }
  const server = createServer(getRequestListener(fetch));
  await new Promise<void>((resolve) => server.listen(0, local.hostname, resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections());
  return { url: `http://127.0.0.1:${address.port}`, stop };
}

function ask(
  { url }: Running,
  { signal = null, ...request }: { model: string; stream: boolean; signal?: AbortSignal | null },
): Promise<Response> {
  const body = JSON.stringify({ ...request, max_tokens: 9, messages: [{ role: "user", content: "Hello" }] });
  const headers = { "content-type": "application/json", "connection": "close" };
  return fetch(`${url}/v1/messages`, { method: "POST", headers, body, signal });
}

/** Creates an upstream without models or answers; promises resolve when a request arrives and when it is cancelled. */
function createSilentUpstream() {
  let onRequest = () => {};
  let onCancel = () => {};
  const requested = new Promise<void>((resolve) => onRequest = resolve);
  const cancelled = new Promise<void>((resolve) => onCancel = resolve);
  const fetch = (_url: string | URL | Request, { method, signal }: RequestInit = {}): Promise<Response> => {
    if (method !== "POST") return Promise.resolve(new Response(null, { status: 404 }));
    onRequest();
    return new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => {
        onCancel();
        reject(signal.reason);
      });
    });
  };
  return { fetch, requested, cancelled };
}
