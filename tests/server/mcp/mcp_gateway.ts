import { checkComplete } from "../../kit/grammar.ts";
import { foldEvents, parseEvents } from "../../kit/events.ts";
import { createTestGateway, type TestGateway, type TestRequestOptions } from "../../kit/gateway.ts";
import { asJson, type Json } from "../../kit/json.ts";
import { serveMcp, type TestMcpOptions, type TestMcpServer } from "../../kit/servers/mcp_server.ts";
import { createModel, type ScriptedModel } from "../../end_to_end/tools/model.ts";
import type { Settings } from "../../../lib/config/settings.ts";
import assert from "node:assert/strict";

/** A gateway, a scripted model, and an MCP server that the gateway may connect to. */
export interface McpTestbed {
  gateway: TestGateway;
  model: ScriptedModel;
  server: TestMcpServer;
  /** The server as `mcp_servers` names it. */
  docs: Json;
  /** Sends a message with the server and a toolset, and returns the status, the headers and the message. */
  ask(body: Json, options?: TestRequestOptions): Promise<McpAnswer>;
}

/** An answer that was read to its end; for a stream, the message that its events fold to. */
export interface McpAnswer {
  status: number;
  headers: Headers;
  body: Json;
}

/** A toolset of the server. */
export const TOOLSET: Json = { type: "mcp_toolset", mcp_server_name: "docs" };

/** Runs a test with separate servers. */
export async function withMcp(
  options: TestMcpOptions & { settings?: Settings },
  run: (testbed: McpTestbed) => Promise<void>,
): Promise<void> {
  const server = await serveMcp(options);
  const model = createModel();
  const gateway = createTestGateway({
    settings: { WEB_FETCH_ALLOW_HOSTS: server.host, ...options.settings },
    fetch: model.fetch,
  });
  const docs = { type: "url", name: "docs", url: server.url };
  try {
    await run({
      gateway,
      model,
      server,
      docs,
      async ask(body, request) {
        const defaults = {
          model: "openai/gpt-5",
          max_tokens: 1024,
          messages: [{ role: "user", content: "Go" }],
          mcp_servers: [docs],
          tools: [TOOLSET],
        };
        return await readAnswer(await gateway.post({ ...defaults, ...body }, request));
      },
    });
  } finally {
    await gateway.stop();
    await server.close();
  }
}

async function readAnswer(response: Response): Promise<McpAnswer> {
  const { status, headers } = response;
  const body = await response.text();
  if (headers.get("content-type")?.startsWith("text/event-stream") !== true) {
    return { status, headers, body: asJson(JSON.parse(body)) };
  }
  const events = parseEvents(body);
  assert.equal(checkComplete(events), "message_stop", body);
  return { status, headers, body: foldEvents(events) };
}
