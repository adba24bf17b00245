import assert from "node:assert/strict";
import { test } from "node:test";
import { McpError } from "../../../tools/errors.ts";
import type { McpConnection } from "../../../tools/mcp/connection.ts";
import { createConnect } from "../../../tools/host/web/connect.ts";
import { createRemote } from "../../../tools/mcp/remote.ts";
import { CERTIFICATE, KEY } from "../../kit/servers/tls.ts";
import {
  ECHO,
  serveMcp,
  type TestMcpOptions,
  type TestMcpServer,
  toEvent,
} from "../../kit/servers/mcp_server.ts";

const NEVER = new AbortController().signal;
const client = { name: "test", version: "1" };

/** Starts a server, connects to it, and closes both at the end. */
async function withServer(
  options: TestMcpOptions,
  run: (connection: McpConnection, server: TestMcpServer) => Promise<void>,
): Promise<void> {
  const server = await serveMcp(options);
  try {
    const connection = await connect(server);
    try {
      await run(connection, server);
    } finally {
      await connection.close();
    }
  } finally {
    await server.close();
  }
}

function connect(server: TestMcpServer, token?: string): Promise<McpConnection> {
  const connectRemote = createRemote({ allowHosts: [server.host] });
  return connectRemote({ name: "docs", url: server.url, token }, { client, signal: NEVER });
}

for (const transport of ["json", "stream", "sse"] as const) {
  test(`createRemote() lists and calls tools of a server that answers by ${transport}`, () =>
    withServer({ transport, session: transport === "sse" ? undefined : "s1" }, async (connection, server) => {
      const { tools, rejected } = await connection.listTools(NEVER);
      assert.deepEqual(tools.map(({ name, inputSchema }) => ({ name, inputSchema })), [
        { name: "echo", inputSchema: ECHO.inputSchema },
      ]);
      assert.deepEqual(rejected, []);
      await connection.ping(NEVER);
      const results = await Promise.all(
        ["bee", "wasp"].map((word) => connection.callTool("echo", { word }, NEVER)),
      );
      assert.deepEqual(results, [
        { content: [{ type: "text", text: "You said bee" }], isError: false },
        { content: [{ type: "text", text: "You said wasp" }], isError: false },
      ]);
      await connection.close();
      await connection.closed;
      if (transport !== "sse") assert.equal(server.requests.at(-1)?.http, "DELETE");
    }));
}

test("createRemote() uses a server that supports only the revision 2026-07-28", () =>
  withServer({
    modern: true,
    tools: [ECHO, { name: "bad", inputSchema: "none" }],
    call: (_name, { word }) => ({ content: [{ type: "text", text: `You said ${word}` }, { type: "new" }] }),
  }, async (connection, server) => {
    const { tools, rejected } = await connection.listTools(NEVER);
    assert.deepEqual([tools.map(({ name }) => name), rejected.map(({ name }) => name)], [["echo"], ["bad"]]);
    const { content } = await connection.callTool("echo", { word: "bee" }, NEVER);
    assert.deepEqual(content, [
      { type: "text", text: "You said bee" },
      { type: "text", text: "[unsupported content of type new]" },
    ]);
    assert.deepEqual(server.methods(), ["initialize", "server/discover", "tools/list", "tools/call"]);
  }));

/** Servers that cannot be used, and the end of the error message. */
const UNUSABLE: { name: string; options: TestMcpOptions; message: RegExp; status?: number }[] = [
  {
    name: "redirects",
    options: {
      intercept: (_request, response) => Boolean(response.writeHead(307, { location: "/other" }).end()),
    },
    message: /the server redirects it, and redirects are not followed/,
  },
  { name: "requires a token", options: { token: "t" }, message: /HTTP status 401$/, status: 401 },
  {
    name: "forbids",
    options: {
      intercept: (_request, response) =>
        Boolean(
          response.writeHead(403, { "www-authenticate": 'Bearer error="insufficient_scope", scope="all"' })
            .end(),
        ),
    },
    message: /HTTP status 403$/,
    status: 403,
  },
  {
    name: "fails",
    options: { intercept: (_request, response) => Boolean(response.writeHead(500).end("secret stack")) },
    message: /HTTP status 500$/,
    status: 500,
  },
  {
    name: "is a web page",
    options: {
      intercept: (_request, response) =>
        Boolean(response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hello</h1>")),
    },
    message: /it did not answer as an MCP server$/,
  },
  {
    name: "answers without JSON",
    options: {
      intercept: (_request, response) =>
        Boolean(response.writeHead(200, { "content-type": "application/json" }).end("{")),
    },
    message: /it did not answer as an MCP server$/,
  },
  {
    name: "ends its stream without a result",
    options: {
      intercept: (_request, response) =>
        Boolean(response.writeHead(200, { "content-type": "text/event-stream" }).end(": nothing\n\n")),
    },
    message: /the answer ended without a result$/,
  },
  {
    name: "answers another request",
    options: {
      intercept: (_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        return Boolean(response.end(toEvent({ jsonrpc: "2.0", id: 77, result: {} })));
      },
    },
    message: /the answer ended without a result$/,
  },
  {
    name: "sends more than 16 MiB",
    options: {
      intercept: (_request, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        return Boolean(response.end(`{"x": "${"a".repeat(17 * 1024 * 1024)}"}`));
      },
    },
    message: /it is larger than 16 MiB$/,
  },
  {
    name: "nests its answer 10 million times",
    options: {
      intercept: (_request, response) => {
        response.writeHead(200, { "content-type": "application/json" });
        return Boolean(response.end("[".repeat(10_000_000)));
      },
    },
    message: /it has more than 250000 values$/,
  },
  {
    name: "answers with more than 100 messages",
    options: {
      intercept: ({ message }, response) => {
        const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
        const reply = { jsonrpc: "2.0", id: message?.id, result: {} };
        response.writeHead(200, { "content-type": "application/json" });
        return Boolean(response.end(JSON.stringify([...Array(100).fill(ping), reply])));
      },
    },
    message: /it has more than 100 messages$/,
  },
  {
    name: "sends a stream of more than 100,000 lines",
    options: {
      intercept: ({ message }, response) => {
        const result = {
          protocolVersion: "2025-11-25",
          capabilities: {},
          serverInfo: { name: "a", version: "1" },
        };
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(":\n".repeat(100_000));
        return Boolean(response.end(toEvent({ jsonrpc: "2.0", id: message?.id, result })));
      },
    },
    message: /the answer ended without a result$/,
  },
];

for (const { name, options, message, status } of UNUSABLE) {
  test(`createRemote() rejects a server that ${name}`, async () => {
    const server = await serveMcp(options);
    try {
      await assert.rejects(connect(server, "secret-token"), (error) => {
        assert.ok(error instanceof McpError, String(error));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret/);
        assert.equal(error.status, status);
        return true;
      });
      assert.ok(server.requests.every(({ path }) => path === "/mcp"), "no other path was requested");
    } finally {
      await server.close();
    }
  });
}

const REFUSED_URLS: { url: string; message: RegExp }[] = [
  { url: "http://example.com/mcp", message: /it must start with https:\/\/$/ },
  { url: "http://example.com:8080/mcp", message: /it must start with https:\/\/$/ },
  { url: "https://127.0.0.1/mcp", message: /not on the public internet/ },
  { url: "https://[::1]/mcp", message: /not on the public internet/ },
  { url: "https://169.254.169.254/latest", message: /not on the public internet/ },
  { url: "https://rebound.example/mcp", message: /not on the public internet/ },
  { url: "http://example.com/mcp?key=secret", message: /it must start with https:\/\/$/ },
  { url: "https://user:secret@example.com/mcp", message: /user name or a password/ },
  { url: "file:///etc/passwd", message: /only http and https/ },
  { url: "not a url", message: /not a complete URL/ },
];

for (const { url, message } of REFUSED_URLS) {
  test(`createRemote() rejects ${url} before any connection`, async () => {
    const connectRemote = createRemote({ allowHosts: [] }, {
      // One of the addresses is private, so the name is rejected.
      resolve: () => Promise.resolve(["93.184.215.14", "10.0.0.7"]),
      connect: () => Promise.reject(new Error("connected")),
    });
    await assert.rejects(connectRemote({ name: "docs", url }, { client, signal: NEVER }), (error) => {
      assert.ok(error instanceof McpError && error.cause === undefined);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret|passwd|latest/);
      return true;
    });
  });
}

test("createRemote() resolves the name once, and sends each request to the address that answered", async () => {
  const requests: string[] = [];
  let resolved = 0;
  const connectRemote = createRemote({ allowHosts: [] }, {
    resolve: () => Promise.resolve(resolved++ === 0 ? ["93.184.215.14"] : ["10.0.0.7"]),
    async connect({ address, method, body, headers }) {
      requests.push(`${method} ${address} ${headers?.["accept-encoding"]}`);
      const { id } = JSON.parse(body ?? "{}");
      const result = {
        protocolVersion: "2025-11-25",
        capabilities: {},
        serverInfo: { name: "s", version: "1" },
      };
      const text = id === undefined ? "" : JSON.stringify({ jsonrpc: "2.0", id, result });
      return {
        status: id === undefined ? 202 : 200,
        header: (name) => name === "content-type" ? "application/json" : undefined,
        body: bytesOf(text),
        close: () => {},
      };
    },
  });
  const connection = await connectRemote({ name: "docs", url: "https://mcp.example/" }, {
    client,
    signal: NEVER,
  });
  await connection.close();
  assert.equal(resolved, 1);
  assert.deepEqual([...new Set(requests)], ["POST 93.184.215.14 identity"]);
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

test("createRemote() checks the certificate of the server for its name", async () => {
  const server = await serveMcp({ tls: { cert: CERTIFICATE, key: KEY }, transport: "stream" });
  try {
    const hosts = ["docs.test", "other.test"].map((name) => `${name}:${server.port}`);
    const connectRemote = createRemote({ allowHosts: hosts }, {
      resolve: () => Promise.resolve(["127.0.0.1"]),
      connect: createConnect({ ca: CERTIFICATE }),
    });
    const [url, other] = hosts.map((host) => `https://${host}/mcp`);
    assert.ok(url !== undefined && other !== undefined);
    const connection = await connectRemote({ name: "docs", url }, { client, signal: NEVER });
    const { content } = await connection.callTool("echo", { word: "bee" }, NEVER);
    assert.deepEqual(content, [{ type: "text", text: "You said bee" }]);
    await connection.close();
    await assert.rejects(connectRemote({ name: "docs", url: other }, { client, signal: NEVER }), {
      message: /its host has no trusted certificate$/,
    });
  } finally {
    await server.close();
  }
});

test("createRemote() stops waiting for a server when the signal fires", async () => {
  const server = await serveMcp({ intercept: () => true });
  try {
    const controller = new AbortController();
    const connecting = createRemote({ allowHosts: [server.host] })(
      { name: "docs", url: server.url },
      { client, signal: controller.signal },
    );
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error("too late"));
    await assert.rejects(connecting, { message: "too late" });
  } finally {
    await server.close();
  }
});

test("callTool() cancels a call when its signal fires, and the connection serves the next one", () =>
  withServer(
    {
      call: (name) =>
        name === "slow" ? new Promise(() => {}) : { content: [{ type: "text", text: "quick" }] },
    },
    async (connection, server) => {
      const controller = new AbortController();
      const slow = connection.callTool("slow", {}, controller.signal);
      while (!server.methods().includes("tools/call")) await new Promise((resolve) => setImmediate(resolve));
      controller.abort(new Error("too slow"));
      await assert.rejects(slow, { message: "too slow" });
      const { content } = await connection.callTool("quick", {}, NEVER);
      assert.deepEqual(content, [{ type: "text", text: "quick" }]);
      while (!server.methods().includes("notifications/cancelled")) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  ));

test("callTool() answers at most 100 requests that a server sends", () =>
  withServer({
    intercept({ message }, response) {
      if (message?.method !== "tools/call") return false;
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let id = 0; id < 300; id++) {
        response.write(toEvent({ jsonrpc: "2.0", id: `p${id}`, method: "ping" }));
      }
      const result = { content: [{ type: "text", text: "done" }] };
      return Boolean(response.end(toEvent({ jsonrpc: "2.0", id: message.id, result })));
    },
  }, async (connection, server) => {
    await connection.callTool("echo", {}, NEVER);
    const answers = () => server.requests.filter(({ message }) => message?.result !== undefined).length;
    while (answers() < 100) await new Promise((resolve) => setImmediate(resolve));
    await connection.ping(NEVER);
    assert.equal(answers(), 100);
  }));

test("callTool() returns the error of a server, with its message truncated", () =>
  withServer(
    { call: () => ({ error: { code: -32602, message: `Unknown tool: ${"x".repeat(5000)}` } }) },
    async (connection) => {
      await assert.rejects(connection.callTool("none", {}, NEVER), (error) => {
        assert.ok(error instanceof McpError);
        assert.match(
          error.message,
          /^Cannot call a tool of MCP server "docs": it returned error -32602: Unknown/,
        );
        assert.ok(error.message.length < 2200);
        return true;
      });
    },
  ));

test("listTools() reads all pages, and stops if the pages do not end", () =>
  withServer({
    intercept: ({ message }, response) => {
      if (message?.method !== "tools/list") return false;
      const { cursor = "0" } = message.params as { cursor?: string };
      const tools = [{ ...ECHO, name: `echo_${cursor}` }];
      response.writeHead(200, { "content-type": "application/json" });
      const result = { tools, nextCursor: String(Number(cursor) + 1) };
      return Boolean(response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, result })));
    },
  }, async (connection) => {
    const { tools, rejected } = await connection.listTools(NEVER);
    assert.equal(tools.length, 32);
    assert.match(rejected[0]?.reason ?? "", /only the first 32 pages/);
  }));
