import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  Client as Client2,
  StreamableHTTPClientTransport as HttpTransport2,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioTransport2 } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioTransport1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpTransport1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { readHttpExample, readStdioExample } from "./examples.ts";
import { CLIENT_KEY, NO_OWN_GATEWAY, test } from "../kit/testbed.ts";
import { setToolStage } from "../tools/testbed.ts";

const INFO = { name: "test", version: "1" };

/** A server for a client: its address, and its process if it has one. */
interface Connection {
  /** True if the client has found the version of 2026-07-28. */
  modern: boolean;
  list(): Promise<
    { tools: { name: string; annotations?: { readOnlyHint?: boolean | undefined } | undefined }[] }
  >;
  call(name: string, input: Record<string, unknown>, signal?: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
  pid?: number | null;
}

describe("The official clients of MCP, with the gateway's tools", { skip: NO_OWN_GATEWAY }, () => {
  const testbed = setToolStage();
  const http = () => {
    const { url, headers } = readHttpExample({ url: testbed.url, key: CLIENT_KEY });
    return { url: new URL(url), requestInit: { headers } };
  };
  const stdio = () => readStdioExample({ folder: testbed.workspace });

  /** Each client over each transport. */
  const clients: Record<string, () => Promise<Connection>> = {
    "SDK 1 over HTTP": async () => {
      const { url, ...options } = http();
      const transport = new HttpTransport1(url, options);
      // The declarations of its transports do not fit those of its client under exactOptionalPropertyTypes.
      return await connect1(
        transport as Parameters<Client1["connect"]>[0],
        () => transport.terminateSession(),
      );
    },
    "SDK 1 over stdio": async () => {
      const transport = new StdioTransport1({ ...stdio(), stderr: "ignore" });
      return { ...await connect1(transport), pid: transport.pid };
    },
    "SDK 2 over HTTP": async () => {
      const { url, ...options } = http();
      const transport = new HttpTransport2(url, options);
      return await connect2(transport, {}, () => transport.terminateSession());
    },
    "SDK 2 over HTTP, version negotiated": async () => {
      const { url, ...options } = http();
      return await connect2(new HttpTransport2(url, options), { versionNegotiation: { mode: "auto" } });
    },
    "SDK 2 over stdio": async () => {
      const transport = new StdioTransport2({ ...stdio(), stderr: "ignore" });
      return { ...await connect2(transport), pid: transport.pid };
    },
    "SDK 2 over stdio, version negotiated": async () => {
      const transport = new StdioTransport2({ ...stdio(), stderr: "ignore" });
      return { ...await connect2(transport, { versionNegotiation: { mode: "auto" } }), pid: transport.pid };
    },
  };

  for (const [name, connect] of Object.entries(clients)) {
    test(`list and call them: ${name}`, async () => {
      testbed.put("hive.txt", "queen\n");
      const client = await connect();
      assert.equal(client.modern, name.includes("negotiated"));
      const { tools } = await client.list();
      const read = tools.find((tool) => tool.name === "Read");
      assert.equal(read?.annotations?.readOnlyHint, true);
      assert.deepEqual(await client.call("Read", { file_path: "hive.txt" }), {
        content: [{ type: "text", text: "     1\tqueen" }],
      });
      const failed = await client.call("Read", { file_path: "none.txt" });
      assert.match(JSON.stringify(failed), /"isError":true/);
      await assert.rejects(() => client.call("Task", { prompt: "Go" }), /Unknown tool: Task/);
      await client.close();
      const { pid } = client;
      // No process is left.
      if (pid) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    });
  }

  for (const name of Object.keys(clients).filter((one) => one.includes("HTTP"))) {
    test(`end a call that they cancel: ${name}`, async () => {
      const client = await clients[name]?.();
      assert.ok(client);
      const received = testbed.web.next("/slow");
      const controller = new AbortController();
      const url = `http://${testbed.web.host}/slow`;
      const answer = client.call("WebFetch", { url }, controller.signal);
      const { left } = await received;
      controller.abort();
      await assert.rejects(answer);
      await left;
      assert.match(JSON.stringify(await client.list()), /WebFetch/);
      await client.close();
    });
  }

  test("are refused without a key", async () => {
    const { url } = http();
    await assert.rejects(connect2(new HttpTransport2(url)), /authentication_error/);
  });
});

async function connect1(
  transport: Parameters<Client1["connect"]>[0],
  end: () => Promise<void> = async () => {},
): Promise<Connection> {
  const client = new Client1(INFO);
  await client.connect(transport);
  await client.ping();
  return {
    modern: false,
    list: () => client.listTools(),
    call: (name, input, signal) =>
      client.callTool({ name, arguments: input }, undefined, { ...(signal && { signal }) }),
    async close() {
      await end();
      await client.close();
    },
  };
}

async function connect2(
  transport: Parameters<Client2["connect"]>[0],
  options: ConstructorParameters<typeof Client2>[1] = {},
  end: () => Promise<void> = async () => {},
): Promise<Connection> {
  const client = new Client2(INFO, options);
  await client.connect(transport);
  const modern = client.getProtocolEra() === "modern";
  return {
    modern,
    list: () => client.listTools(),
    async call(name, input, signal) {
      const { content, isError } = await client.callTool({ name, arguments: input }, {
        ...(signal && { signal }),
      });
      return { content, ...(isError && { isError }) };
    },
    async close() {
      await end();
      await client.close();
    },
  };
}
