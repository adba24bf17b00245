import assert from "node:assert/strict";
import { test } from "node:test";
import { McpError } from "../../../tools/errors.ts";
import type { McpConnection } from "../../../tools/mcp/connection.ts";
import { createRemote } from "../../../tools/mcp/remote.ts";
import { ECHO, serveMcp, type TestMcpOptions, type TestMcpServer, toEvent } from "../../kit/mcp_server.ts";

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
