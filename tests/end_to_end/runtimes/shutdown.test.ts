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

/** Starts a gateway with one stream open, whose upstream has said one word. */
async function begin(runtime: Runtime, shutdownTimeout: number) {
  const upstream = createServer((incoming, response) => {
    incoming.resume();
    if (incoming.method === "POST") upstream.emit("asked", response);
    else response.writeHead(404).end(); // it lists no models
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const program = launch(runtime, [
    ...["--port", "0", "--upstream", `http://127.0.0.1:${toPort(upstream)}`, "--api-key", "k"],
    ...["--log-level", "off", "--shutdown-timeout", String(shutdownTimeout)],
  ]);
  const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
  const asked = new Promise<ServerResponse>((resolve) => upstream.once("asked", resolve));
  const messages = [{ role: "user", content: "Hello" }];
  const client = request(`${url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    agent: false,
  });
  client.end(JSON.stringify({ model: "openai/gpt-5", max_tokens: 16, stream: true, messages }));
  const saying = await asked;
  saying.writeHead(200, { "content-type": "text/event-stream" }).write(HI);
  const [answer] = await once(client, "response");
  let text = "";
  answer.setEncoding("utf8").on("data", (piece: string) => text += piece);
  answer.on("error", () => {}); // a cut connection shows in the body
  const body = new Promise<string>((resolve) => answer.on("close", () => resolve(text)));
  return {
    program,
    url,
    saying,
    body,
    close() {
      upstream.close();
      upstream.closeAllConnections();
    },
  };
}

/** Waits until the program takes no new connection. */
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
    async ({ program, url, saying, body }) => {
      program.kill("SIGTERM");
      await untilClosed(url);
      saying.end(END);
      assert.equal(checkGrammar(parseEvents(await body)), "message_stop");
      assert.equal((await program.ended).status, 0);
    },
  );

  on("ends a stream that exceeds SHUTDOWN_TIMEOUT, and exits with status 0", 0.2, async (begun) => {
    const { program, saying, body } = begun;
    const left = once(saying, "close");
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
    // A second wish that follows at once counts as the first: launchers send signals on.
    for (; !ended; await setTimeout(100)) program.kill("SIGTERM");
    assert.notEqual((await program.ended).status, 0);
    assert.equal(checkGrammar(parseEvents(await body)), "cut");
  });
}
