import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { createFetch } from "../../../lib/runtime/http/fetch.ts";
import { launch, RUNTIMES } from "./launch.ts";
import { toPort } from "../../kit/servers/sockets.ts";

const onNode = process.versions.bun === undefined && process.versions.deno === undefined;
const node = RUNTIMES.find(({ name }) => name.startsWith("node"));
const bun = RUNTIMES.find(({ name }) => name === "bun");

/** Starts a server that does not answer. `arrival` returns the response to the next request for a path. */
async function startSilent() {
  const waiting = new Map<string, (response: ServerResponse) => void>();
  const server = createServer((incoming, response) => {
    incoming.resume();
    const accept = waiting.get(incoming.url ?? "");
    if (accept === undefined) response.writeHead(404).end();
    else accept(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${toPort(server)}`,
    arrival: (path: string) => new Promise<ServerResponse>((resolve) => waiting.set(path, resolve)),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test("createFetch() waits longer than the fetch of Node.js", { skip: !onNode }, async () => {
  const { Agent, getGlobalDispatcher, setGlobalDispatcher } = await import("undici");
  const usual = getGlobalDispatcher();
  const server = await startSilent();
  // Node's limits of five minutes, shortened.
  setGlobalDispatcher(new Agent({ headersTimeout: 1, bodyTimeout: 1 }));
  try {
    const network = createFetch({ connectTimeout: 10 });
    const arrival = server.arrival("/patient");
    const patient = network(`${server.url}/patient`);
    const response = await arrival;
    void server.arrival("/plain");
    await assert.rejects(fetch(`${server.url}/plain`), (error) => {
      return error instanceof TypeError && /Headers Timeout/.test(String(error.cause));
    });
    response.writeHead(200).flushHeaders();
    const body = (await patient).text();

    const begun = server.arrival("/begun");
    const plain = fetch(`${server.url}/begun`);
    (await begun).writeHead(200).write("a");
    await assert.rejects((await plain).text(), /terminated/);
    response.end("said at last");
    assert.equal(await body, "said at last");
  } finally {
    setGlobalDispatcher(usual);
    server.close();
  }
});

test("mod.ts on bun waits longer than Bun's fetch", {
  skip: bun?.missing ?? true,
  timeout: 60_000,
}, async () => {
  assert.ok(bun);
  const BUN_CONFIG_HTTP_IDLE_TIMEOUT = "1"; // in seconds; the default is five minutes
  const server = await startSilent();
  const args = ["--port", "0", "--upstream", server.url, "--api-key", "k", "--log-level", "off"];
  const program = launch(bun, args, { BUN_CONFIG_HTTP_IDLE_TIMEOUT });
  try {
    const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
    const arrival = server.arrival("/chat/completions");
    const messages = [{ role: "user", content: "Hello" }];
    const answer = fetch(`${url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "openai/gpt-5", max_tokens: 16, messages }),
    });
    const response = await arrival;

    void server.arrival("/plain");
    const plain = `fetch("${server.url}/plain").then(() => process.exit(0), () => process.exit(3))`;
    const env = { ...process.env, BUN_CONFIG_HTTP_IDLE_TIMEOUT };
    const [status] = await once(spawn(bun.command[0] ?? "", ["-e", plain], { env }), "exit");
    assert.equal(status, 3, "Bun's fetch times out");

    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(
      'data: {"choices":[{"delta":{"content":"at last"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    );
    assert.equal((await (await answer).json()).content[0].text, "at last");
  } finally {
    program.kill("SIGTERM");
    server.close();
  }
});

// Only on Linux does a connection attempt wait while the queue of the listener is full.
test("mod.ts on node ends a connection attempt after CONNECT_TIMEOUT", {
  skip: !onNode || process.platform !== "linux",
  timeout: 60_000,
}, async () => {
  assert.ok(node);
  const listen = `const server = require("node:net").createServer();
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("node:fs").writeSync(1, server.address().port + "\\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // never accepts
    });`;
  const listener = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = await once(listener.stdout, "data");
  const port = Number(String(output));
  const queue = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  await Promise.all(queue.slice(0, 2).map((socket) => once(socket, "connect")));
  const args = [
    "--port",
    "0",
    "--upstream",
    `http://127.0.0.1:${port}`,
    "--api-key",
    "k",
    "--log-level",
    "off",
  ];
  const program = launch(node, [...args, "--connect-timeout", "0.5"]);
  try {
    const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
    const messages = [{ role: "user", content: "Hello" }];
    const response = await fetch(`${url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "openai/gpt-5", max_tokens: 16, messages }),
    });
    assert.equal(response.status, 504);
    const { error } = await response.json();
    assert.deepEqual(error, {
      type: "timeout_error",
      message: 'Cannot connect to upstream "openrouter": the connection timed out',
    });
  } finally {
    program.kill("SIGTERM");
    listener.kill("SIGKILL");
    for (const socket of queue) socket.destroy();
  }
});
