import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { type McpTestbed, withMcp } from "../../server/mcp/mcp_gateway.ts";
import { MODEL_APIS } from "../../end_to_end/tools/model.ts";
import { call, reply } from "../../kit/model/turns.ts";

type Block = Anthropic.Beta.BetaContentBlock;

/** The SDK without a socket: its requests go to the gateway's handler. */
function connect({ gateway }: McpTestbed): Anthropic {
  return new Anthropic({
    baseURL: "http://gateway.test",
    apiKey: "k",
    maxRetries: 0,
    fetch: (url, init) => gateway.fetch(new Request(url, init)),
  });
}

/** Describes a block by the fields that the SDK declares for its type. */
function tell(block: Block): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "mcp_tool_use":
      return `${block.server_name} ${block.name} ${JSON.stringify(block.input)}`;
    case "mcp_tool_result": {
      const { content, is_error } = block;
      const text = typeof content === "string" ? content : content.map((part) => part.text).join("");
      return `${is_error ? "failed" : "gave"} ${text}`;
    }
    case "mcp_tool_listing":
      return `${block.mcp_server_name} has ${block.tools.map(({ name }) => name).join(", ")}`;
    default:
      return block.type;
  }
}

for (const { name, model, ids } of MODEL_APIS) {
  for (const streamed of [false, true]) {
    test(`@anthropic-ai/sdk uses an MCP server with a ${name} model, ${streamed ? "streamed" : "whole"}`, () =>
      withMcp({ token: "t" }, async (testbed) => {
        const { beta } = connect(testbed);
        const server: Anthropic.Beta.BetaRequestMCPServerURLDefinition = {
          type: "url",
          name: "docs",
          url: testbed.server.url,
          authorization_token: "t",
        };
        const toolset: Anthropic.Beta.BetaMCPToolset = {
          type: "mcp_toolset",
          mcp_server_name: "docs",
          default_config: { enabled: false },
          configs: { echo: { enabled: true, defer_loading: false } },
        };
        const ask = async (messages: Anthropic.Beta.BetaMessageParam[]) => {
          const body = {
            model,
            max_tokens: 100,
            messages,
            mcp_servers: [server],
            tools: [toolset],
            betas: ["mcp-client-2026-09-15"],
          };
          return streamed
            ? await beta.messages.stream(body).finalMessage()
            : await beta.messages.create(body);
        };
        testbed.model.script(
          reply({ tools: [call(`${ids.upstream}1`, "docs_echo", { word: "bee" })] }),
          reply({ text: ["Bee."] }),
          reply({ text: ["Gladly."] }),
        );
        const question: Anthropic.Beta.BetaMessageParam = { role: "user", content: "Go" };
        const first = await ask([question]);
        assert.deepEqual(first.content.map(tell), [
          "docs has echo",
          'docs echo {"word":"bee"}',
          "gave You said bee",
          "Bee.",
        ]);
        const thanks: Anthropic.Beta.BetaMessageParam = { role: "user", content: "Thanks" };
        const second = await ask([question, { role: "assistant", content: first.content }, thanks]);
        assert.deepEqual(second.content.map(tell), ["Gladly."]);
        // The list of the first answer was sent back, so the server was asked once.
        assert.equal(testbed.server.methods().filter((method) => method === "tools/list").length, 1);
      }));
  }
}
