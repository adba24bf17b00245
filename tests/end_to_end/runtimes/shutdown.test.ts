import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { launch, OWN_PROGRAMS, type Runtime } from "./launch.ts";
import { parseEvents } from "../../kit/events.ts";
import { checkGrammar } from "../../kit/grammar.ts";
import { toPort } from "../../kit/servers/sockets.ts";

const HI = 'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n';
const END = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

/** Starts a gateway with one open stream, whose upstream has sent one chunk. */
async function begin(runtime: Runtime, shutdownTimeout: number) {
  const upstream = createServer((incoming, response) => {
    incoming.resume();
    if (incoming.method === "POST") upstream.emit("arrived", response);
    else response.writeHead(404).end(); // it has no list of models
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const program = launch(runtime, [
    ...["--port", "0", "--upstream", `http://127.0.0.1:${toPort(upstream)}`, "--api-key", "k"],
    ...["--log-level", "off", "--shutdown-timeout", String(shutdownTimeout)],
  ]);
  const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
  const arrived = new Promise<ServerResponse>((resolve) => upstream.once("arrived", resolve));
  const messages = [{ role: "user", content: "Hello" }];
  const client = request(`${url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    agent: false,
  });
  client.end(JSON.stringify({ model: "openai/gpt-5", max_tokens: 16, stream: true, messages }));
  const upstreamResponse = await arrived;
  upstreamResponse.writeHead(200, { "content-type": "text/event-stream" }).write(HI);
  const [answer] = await once(client, "response");
  let text = "";
  answer.setEncoding("utf8").on("data", (piece: string) => text += piece);
  answer.on("error", () => {}); // the body shows a cut connection
  const body = new Promise<string>((resolve) => answer.on("close", () => resolve(text)));
  return {
    program,
    url,
    upstreamResponse,
    body,
    close() {
      upstream.close();
      upstream.closeAllConnections();
    },
  };
}

/** Waits until the program accepts no new connection. */
async function untilClosed(url: string): Promise<void> {
  for (let open = true; open; await setTimeout(20)) {
    const headers = { connection: "close" };
    open = await fetch(`${url}/health`, { headers }).then((answer) => answer.ok, () => false);
  }
}

for (const runtime of OWN_PROGRAMS) {
  const on = (
    does: string,
    shutdownTimeout: number,
    run: (begun: Awaited<ReturnType<typeof begin>>) => Promise<void>,
  ) =>
    test(`mod.ts on ${runtime.name} ${does}`, { skip: runtime.missing, timeout: 60_000 }, async () => {
      const begun = await begin(runtime, shutdownTimeout);
      try {
        await run(begun);
      } finally {
        begun.close();
      }
    });

  on(
    "completes an open stream on SIGTERM, and exits with status 0",
    30,
    async ({ program, url, upstreamResponse, body }) => {
      program.kill("SIGTERM");
      await untilClosed(url);
      upstreamResponse.end(END);
      assert.equal(checkGrammar(parseEvents(await body)), "message_stop");
      assert.equal((await program.ended).status, 0);
    },
  );

  on("ends a stream that exceeds SHUTDOWN_TIMEOUT, and exits with status 0", 0.2, async (begun) => {
    const { program, upstreamResponse, body } = begun;
    const left = once(upstreamResponse, "close");
    program.kill("SIGTERM");
    const events = parseEvents(await body);
    assert.equal(checkGrammar(events), "error");
    assert.equal(events.at(-1).error.type, "overloaded_error");
    await left;
    assert.equal((await program.ended).status, 0);
  });

  on("exits at once on a second SIGTERM", 0, async ({ program, url, body }) => {
    program.kill("SIGTERM");
    await untilClosed(url);
    let ended = false;
    program.ended.then(() => ended = true);
    // A second signal shortly after the first is ignored, because launchers forward signals.
    for (; !ended; await setTimeout(100)) program.kill("SIGTERM");
    assert.notEqual((await program.ended).status, 0);
    assert.equal(checkGrammar(parseEvents(await body)), "cut");
  });
}
