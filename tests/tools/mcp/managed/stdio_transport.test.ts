import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import type { Child } from "../../../../tools/mcp/managed/child.ts";
import { createServerLog } from "../../../../tools/mcp/managed/server_log.ts";
import { createStdioTransport } from "../../../../tools/mcp/managed/stdio_transport.ts";

/** Creates a transport to a process that writes messages, and reads its stdin only when `written` is called. */
async function createTestTransport() {
  const written: (() => void)[] = [];
  const stdin = new Writable({ write: (_chunk, _encoding, done) => void written.push(done) });
  const stdout = new PassThrough();
  const child: Child = {
    pid: 1,
    stdin,
    stdout,
    stderrEnded: Promise.resolve(),
    exited: new Promise(() => {}),
    look: () => Promise.resolve(),
    end: () => Promise.resolve(0),
  };
  const transport = createStdioTransport(child, createServerLog((line) => line));
  const received: unknown[] = [];
  transport.onmessage = (message) => void received.push("method" in message ? message.method : message.id);
  await transport.start();
  return {
    transport,
    received,
    readStdin: () => written.shift()?.(),
    print: (text: string) => new Promise((resolve) => stdout.write(text, resolve)),
    async printMessages(...messages: object[]): Promise<void> {
      const lines = messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
      await new Promise((resolve) => stdout.write(lines.join(""), resolve));
    },
  };
}

test("a server that floods the gateway with requests, and reads no answers, receives 100 answers", async () => {
  const { transport, received, readStdin, printMessages } = await createTestTransport();
  const pings = Array.from({ length: 1000 }, (_, id) => ({ id, method: "ping" }));
  await printMessages(...pings);
  assert.equal(received.length, 100);
  const answers = received.map((_, id) => transport.send({ jsonrpc: "2.0", id, result: {} }));
  await printMessages(...pings);
  assert.equal(received.length, 100);
  readStdin();
  await answers[0];
  await printMessages(...pings);
  assert.equal(received.length, 101);
});

test("notifications of a server, and answers to no open request, are dropped", async () => {
  const { transport, received, printMessages } = await createTestTransport();
  for (const id of [1, 2]) void transport.send({ jsonrpc: "2.0", id, method: "tools/list" });
  void transport.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 2 } });
  await printMessages({ method: "notifications/tools/list_changed" }, { id: 7, result: {} }, {
    id: 2,
    result: {},
  });
  await printMessages({ id: "1", result: {} }, { id: 1, result: {} });
  assert.deepEqual(received, ["1"]);
});

test("a line with too many values closes the transport, and is not parsed", async () => {
  const { transport, received, print, printMessages } = await createTestTransport();
  let isClosed = false;
  transport.onclose = () => isClosed = true;
  void transport.send({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  await print(`{"jsonrpc":"2.0","id":1,"result":${"[".repeat(250_000)}${"]".repeat(250_000)}}\n`);
  assert.ok(isClosed);
  await printMessages({ id: 1, result: {} });
  assert.deepEqual(received, []);
});
