import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { launch, OWN_PROGRAMS } from "./launch.ts";
import { toPort } from "../../kit/servers/sockets.ts";

/** Sends these bytes to a gateway. Returns the bytes received until the connection is closed or `enough` matches. */
async function exchange(url: string, bytes: string | Uint8Array[], enough?: RegExp): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let received = "";
  socket.on("error", () => {}); // the gateway closes the connection while a large body is sent
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
    if (enough?.test(received)) socket.destroy();
  });
  const closed = once(socket, "close");
  for (const piece of typeof bytes === "string" ? [bytes] : bytes) socket.write(piece);
  await closed;
  return received;
}

const head = (length: number) =>
  `POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

for (const runtime of OWN_PROGRAMS) {
  const on = (does: string, limit: string, run: (url: string) => Promise<void>) =>
    test(`mod.ts on ${runtime.name} ${does}`, { skip: runtime.missing, timeout: 60_000 }, async () => {
      const args = ["--port", "0", "--log-level", "off", limit, "1"];
      const program = launch(runtime, args);
      try {
        await run(await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m));
      } finally {
        program.kill("SIGTERM");
      }
      await program.ended;
    });

  on("rejects a body that arrives too slowly with 408", "--body-timeout", async (url) => {
    const received = await exchange(url, `${head(100)}{"model"`, /"request_id":"[^"]+"}/);
    assert.match(received, /^HTTP\/1.1 408 /);
    assert.match(
      received,
      /"timeout_error","message":"Cannot read the request body: it took longer than 1 s"/,
    );
  });

  // Only one byte too many: a client that still sends when the connection is closed may miss the answer.
  on("rejects a body that is too large with 413", "--header-timeout", async (url) => {
    const large = new Uint8Array(32 * 1024 * 1024 + 1).fill(32);
    const received = await exchange(
      url,
      [new TextEncoder().encode(head(large.length)), large],
      /"request_id"/,
    );
    assert.match(received, /^HTTP\/1.1 413 /);
    assert.match(received, /"request_too_large"/);
  });

  if (runtime.name !== "deno") {
    on("closes a connection whose headers do not arrive", "--header-timeout", async (url) => {
      const received = await exchange(url, "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n");
      assert.doesNotMatch(received, /200 OK/);
    });
  }

  test(`mod.ts on ${runtime.name} buffers no more than sockets do for a slow client`, {
    skip: runtime.missing,
    timeout: 60_000,
  }, async (context) => {
    const piece = `data: ${
      JSON.stringify({ choices: [{ index: 0, delta: { content: "x".repeat(16_000) } }] })
    }\n\n`;
    const offered = 64_000_000;
    let taken = 0;
    const pour = (response: ServerResponse) => {
      while (taken < offered && !response.destroyed) {
        taken += piece.length;
        if (!response.write(piece)) return void response.once("drain", () => pour(response));
      }
    };
    const upstream = createServer((incoming, response) => {
      incoming.resume();
      if (incoming.method !== "POST") return response.writeHead(404).end();
      upstream.emit("arrived", response);
      pour(response.writeHead(200, { "content-type": "text/event-stream" }));
    });
    upstream.listen(0, "127.0.0.1");
    await once(upstream, "listening");
    const args = ["--port", "0", "--upstream", `http://127.0.0.1:${toPort(upstream)}`, "--api-key", "k"];
    const program = launch(runtime, [...args, "--log-level", "off"]);
    try {
      const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
      const arrived = new Promise<ServerResponse>((resolve) => upstream.once("arrived", resolve));
      const body = JSON.stringify({
        model: "openai/gpt-5",
        max_tokens: 16,
        stream: true,
        messages: [{ role: "user", content: "Hello" }],
      });
      const client = connect(Number(new URL(url).port), "127.0.0.1").pause();
      client.write(head(body.length) + body);
      const response = await arrived;
      // Other requests are served meanwhile. The upstream is blocked when no bytes are taken during 50 of them.
      for (let quiet = 0, before = taken; quiet < 50; quiet++) {
        assert.equal((await (await fetch(`${url}/health`)).json()).status, "healthy");
        if (taken > before) quiet = 0;
        before = taken;
      }
      context.diagnostic(
        `${(taken / 1e6).toFixed(1)} MB of ${offered / 1e6} MB were taken from the upstream`,
      );
      assert.ok(taken < offered / 2, `${taken} bytes were taken`);
      const left = once(response, "close");
      client.destroy();
      await left;
    } finally {
      program.kill("SIGTERM");
      upstream.close();
      upstream.closeAllConnections();
    }
    await program.ended;
  });
}
