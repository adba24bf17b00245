import assert from "node:assert/strict";
import { test } from "node:test";
import type { LineServer } from "../../../lib/server/mcp_server/serve_lines.ts";
import { serveLines } from "../../../lib/server/mcp_server/serve_lines.ts";
import type { Wire } from "../../kit/json.ts";
import { echo } from "../../server_tools/scripted_model.ts";
import { createMcpGateway, createSlowTool, ENVELOPE, INITIALIZE, type McpGateway } from "./mcp_gateway.ts";

/** The client's side of a connection. */
interface Connection {
  server: LineServer;
  /** Sends bytes, or a text. */
  send(piece: string | Uint8Array): void;
  /** Sends a message on a line. */
  sendMessage(message: unknown): void;
  /** Sends a request of `tools/call`. */
  call(id: number, name: string, input?: object): void;
  /** Ends the input. */
  end(): void;
  /** Waits until the server has written this number of messages. */
  answers(count: number): Promise<Wire[]>;
}

/** Connects to a gateway's tools. The client stops reading after `maxLines`. */
async function connect({ context }: McpGateway, { maxLines = Infinity } = {}): Promise<Connection> {
  const lines: Wire[] = [];
  let onLine = () => {};
  let send: (piece: string | Uint8Array) => void = () => {};
  let end = () => {};
  const input = new ReadableStream<Uint8Array>({
    start(controller) {
      send = (piece) =>
        controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
      end = () => controller.close();
    },
  });
  const server = await serveLines(context, {
    input,
    async write(line) {
      if (lines.length >= maxLines) throw new Error("the pipe is broken");
      assert.doesNotMatch(line, /\n/);
      lines.push(JSON.parse(line));
      onLine();
    },
  });
  const sendMessage = (message: unknown) => send(`${JSON.stringify(message)}\n`);
  return {
    server,
    send,
    sendMessage,
    end,
    call: (id, name, input = {}) =>
      sendMessage({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: input } }),
    answers: (count) =>
      new Promise((resolve) => {
        onLine = () => {
          if (lines.length >= count) resolve(lines);
        };
        onLine();
      }),
  };
}

/** Connects and initializes. */
async function start(gateway: McpGateway): Promise<Connection> {
  const connection = await connect(gateway);
  connection.sendMessage({ jsonrpc: "2.0", id: 0, method: "initialize", params: INITIALIZE });
  await connection.answers(1);
  connection.sendMessage({ jsonrpc: "2.0", method: "notifications/initialized" });
  return connection;
}

test("serveLines() answers the messages of each line, at any cut of the bytes", async () => {
  const gateway = createMcpGateway();
  const { send, answers, end, server } = await connect(gateway);
  const messages = [
    { jsonrpc: "2.0", id: 0, method: "initialize", params: INITIALIZE },
    { jsonrpc: "2.0", method: "notifications/initialized" },
    {
      jsonrpc: "2.0",
      id: "ä",
      method: "tools/call",
      params: { name: "Echo", arguments: { word: "Zürich 🎉" } },
    },
  ];
  const text = messages.map((message) => `${JSON.stringify(message)}\r\n`).join("\n");
  for (const byte of new TextEncoder().encode(text)) send(Uint8Array.of(byte));
  const [initialized, called] = await answers(2);
  assert.equal(initialized.result.serverInfo.name, "openrouter-anthropic-server");
  assert.deepEqual([called.id, called.result.content], ["ä", [{ type: "text", text: "You said Zürich 🎉" }]]);
  end();
  await server.ended;
  assert.deepEqual(gateway.audit.map(({ client, tool }) => [client, tool]), [["local", "Echo"]]);
  assert.equal(gateway.clock.waiting, 0);
});

test("serveLines() answers protocol version 2026-07-28, and a last line without an end", async () => {
  const { send, end, answers, server } = await connect(createMcpGateway());
  const params = { name: "Echo", arguments: { word: "a" }, _meta: ENVELOPE };
  send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }));
  end();
  const [{ result }] = await answers(1);
  assert.deepEqual([result.resultType, result.content[0].text], ["complete", "You said a"]);
  await server.ended;
});

const BAD_LINES: Record<string, [line: string | Uint8Array, code: number, id: unknown, message: RegExp]> = {
  "a line that is not JSON": ["{", -32700, null, /not JSON/],
  "a batch": ["[1]", -32600, null, /not a message/],
  "a message of another kind": ['{"jsonrpc":"1.0","id":5,"method":"ping"}', -32600, 5, /not a message/],
  "bytes that are not UTF-8": [Uint8Array.of(34, 255, 34), -32600, null, /UTF-8/],
  "too many levels": ["[".repeat(500), -32600, null, /too many levels/],
  "a line of more than 32 MiB": [new Uint8Array(32 * 1024 * 1024 + 1).fill(32), -32600, null, /32 MiB/],
};

for (const [name, [line, code, id, message]] of Object.entries(BAD_LINES)) {
  test(`serveLines() answers ${name} with an error, and then the next line`, async () => {
    const { send, sendMessage, answers, end, server } = await start(createMcpGateway());
    send(line);
    send("\n\n");
    sendMessage({ jsonrpc: "2.0", id: 6, method: "ping" });
    const [, error, pong] = await answers(3);
    assert.deepEqual([error.error.code, error.id, pong.id], [code, id, 6]);
    assert.match(error.error.message, message);
    end();
    await server.ended;
  });
}

test("serveLines() cancels a call by its notification, without an answer", async () => {
  const slow = createSlowTool();
  const gateway = createMcpGateway({ tools: [slow.tool, echo] });
  const { call, sendMessage, answers, end, server } = await start(gateway);
  call(1, "Slow");
  await slow.running(1);
  sendMessage({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 1 } });
  call(2, "Echo", { word: "a" });
  assert.deepEqual((await answers(2)).map(({ id }) => id), [0, 2]);
  assert.equal(slow.cancelled(), 1);
  end();
  await server.ended;
});

test("serveLines() cancels calls one second after the end of the input", async () => {
  const slow = createSlowTool();
  const gateway = createMcpGateway({ tools: [slow.tool] });
  const { call, end, server } = await start(gateway);
  call(1, "Slow");
  await slow.running(1);
  const waiting = gateway.clock.waiting;
  end();
  while (gateway.clock.waiting === waiting) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(slow.cancelled(), 0);
  gateway.clock.advance(1000);
  await server.ended;
  assert.equal(slow.cancelled(), 1);
});

test("serveLines() ends after its answers are read", async () => {
  const { context, clock } = createMcpGateway();
  let finish = () => {};
  const writing = new Promise<void>((resolve) => finish = resolve);
  let onWrite = () => {};
  const written = new Promise<void>((resolve) => onWrite = resolve);
  const line = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: INITIALIZE });
  const input = new Blob([line]).stream();
  const server = await serveLines(context, {
    input,
    write() {
      onWrite();
      return writing;
    },
  });
  let ended = false;
  const end = server.ended.then(() => ended = true);
  await written;
  while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(1000);
  while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ended, false);
  finish();
  await end;
});

test("serveLines() cancels the calls and ends when the client no longer reads", async () => {
  const slow = createSlowTool();
  const { call, sendMessage, server } = await connect(createMcpGateway({ tools: [slow.tool] }), {
    maxLines: 1,
  });
  sendMessage({ jsonrpc: "2.0", id: 0, method: "initialize", params: INITIALIZE });
  call(1, "Slow");
  await slow.running(1);
  sendMessage({ jsonrpc: "2.0", id: 2, method: "ping" });
  await server.ended;
  assert.equal(slow.cancelled(), 1);
});

test("serveLines() ends when its input fails", async () => {
  const input = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("broken")),
  });
  const server = await serveLines(createMcpGateway().context, { input, write: () => Promise.resolve() });
  await server.ended;
});

test("serveLines() cancels the calls when it is closed", async () => {
  const slow = createSlowTool();
  const { call, server } = await start(createMcpGateway({ tools: [slow.tool] }));
  call(1, "Slow");
  await slow.running(1);
  await server.close();
  await server.ended;
  assert.equal(slow.cancelled(), 1);
});

test("serveLines() runs at most 64 calls at once", async () => {
  const slow = createSlowTool();
  const settings = { LIMITS: { each: { concurrent: 100 } } };
  const gateway = createMcpGateway({ tools: [slow.tool, echo], limits: { concurrency: 100 }, settings });
  const { call, answers, server } = await start(gateway);
  for (let id = 1; id <= 64; id++) call(id, "Slow");
  call(65, "Echo", { word: "a" });
  const [, refused] = await answers(2);
  assert.deepEqual([refused.id, refused.result.isError], [65, true]);
  await server.close();
});

test("serveLines() needs TOOLS", async () => {
  const { context } = createMcpGateway();
  const streams = { input: new ReadableStream<Uint8Array>(), write: () => Promise.resolve() };
  await assert.rejects(() => serveLines({ ...context, loadToolbox: undefined }, streams), {
    name: "ConfigError",
    message: "Cannot serve tools over MCP: TOOLS is not set",
  });
});
