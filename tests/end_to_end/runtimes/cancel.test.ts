import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type Server, type ServerResponse } from "node:http";
import { test } from "node:test";
import { launch, OWN_PROGRAMS, type Runtime } from "./launch.ts";

/** Points at which an upstream stalls, for clients that stream or do not. */
const CASES: { when: string; stream: boolean; begin: (response: ServerResponse) => void }[] = [
  { when: "before its headers, to a client that streams", stream: true, begin: () => {} },
  { when: "before its headers, to a client that does not stream", stream: false, begin: () => {} },
  { when: "after its headers", stream: true, begin: (response) => open(response).flushHeaders() },
  {
    when: "after a comment",
    stream: true,
    begin: (response) => open(response).write(": OPENROUTER PROCESSING\n\n"),
  },
  {
    when: "in the middle of its answer",
    stream: true,
    begin: (response) => open(response).write(toChunk("Hel")),
  },
  {
    when: "in the middle of an answer in one piece",
    stream: false,
    begin: (response) => open(response).write(toChunk("H")),
  },
];

for (const runtime of OWN_PROGRAMS) {
  for (const { when, stream, begin } of CASES) {
    const name =
      `mod.ts on ${runtime.name} cancels an upstream that stalls ${when}, if the client disconnects`;
    test(name, { skip: runtime.missing, timeout: 30_000 }, async (context) => {
      // With a short hold, the gateway begins the answer before the upstream sends anything.
      const { upstream, program, close } = await start(runtime, ["--hold-timeout", "0.2"]);
      try {
        const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
        const arrived = new Promise<ServerResponse>((resolve) => upstream.once("arrived", resolve));
        const client = ask(`${url}/v1/messages`, stream);
        client.on("error", () => {}); // it is destroyed below
        const answered = stream ? once(client, "response") : undefined;
        const response = await arrived;
        begin(response);
        await answered;
        const closed = once(response, "close");
        const left = performance.now();
        client.destroy();
        await closed;
        context.diagnostic(`the upstream was cancelled after ${Math.round(performance.now() - left)} ms`);
        assert.equal(response.writableFinished, false);
      } finally {
        await close();
      }
    });
  }
}

for (const runtime of OWN_PROGRAMS) {
  const name = `mod.ts on ${runtime.name} charges the usage of an answer whose client has disconnected`;
  test(name, { skip: runtime.missing, timeout: 30_000 }, async () => {
    const { upstream, program, close } = await start(runtime, ["--limits", '{"each": {"usd_day": 0.5}}']);
    try {
      const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
      const arrived = new Promise<ServerResponse>((resolve) => upstream.once("arrived", resolve));
      const client = ask(`${url}/v1/messages`, true);
      client.on("error", () => {}); // it is destroyed below
      const answered = once(client, "response");
      const response = await arrived;
      open(response).write(toChunk("Hel"));
      const [answer] = await answered;
      await once(answer.resume(), "data");
      client.destroy();
      // The upstream continues, and reports its usage at the end.
      response.write(toChunk("lo"));
      const usage = { prompt_tokens: 9, completion_tokens: 2, cost: 0.5 };
      const end = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage };
      response.end(`data: ${JSON.stringify(end)}\n\ndata: [DONE]\n\n`);
      await once(response, "close");
      assert.equal(response.writableFinished, true);
      upstream.on("arrived", (next: ServerResponse) => open(next).end(toChunk("Hello") + "data: [DONE]\n\n"));
      let status = 200;
      while (status === 200) {
        const [next] = await once(ask(`${url}/v1/messages`, false), "response");
        await once(next.resume(), "end");
        status = next.statusCode;
      }
      assert.equal(status, 402);
    } finally {
      await close();
    }
  });
}

/** Starts an upstream and a gateway in front of it. */
async function start(runtime: Runtime, args: readonly string[]) {
  const upstream = await listen();
  const base = `http://127.0.0.1:${toPort(upstream)}`;
  const own = ["--port", "0", "--upstream", base, "--api-key", "k", "--log-level", "off"];
  const program = launch(runtime, [...own, ...args]);
  const close = async () => {
    program.kill("SIGTERM");
    upstream.close();
    upstream.closeAllConnections();
    await program.ended;
  };
  return { upstream, program, close };
}

async function listen(): Promise<Server> {
  const server = createServer((incoming, response) => {
    incoming.resume();
    if (incoming.method === "POST") server.emit("arrived", response);
    else response.writeHead(404).end(); // it has no list of models
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function toPort(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

function ask(url: string, stream: boolean) {
  const messages = [{ role: "user", content: "Hello" }];
  const client = request(url, { method: "POST", headers: { "content-type": "application/json" } });
  client.end(JSON.stringify({ model: "openai/gpt-5", max_tokens: 16, stream, messages }));
  return client;
}

function open(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { "content-type": "text/event-stream" });
}

function toChunk(content: string): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
}
