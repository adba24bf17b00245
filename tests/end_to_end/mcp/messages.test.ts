import assert from "node:assert/strict";
import process from "node:process";
import { call, reply } from "../../kit/model/turns.ts";
import { createModel, resultsSentIn } from "../tools/model.ts";
import { objects } from "../../kit/json.ts";
import { serveMcp, type TestMcpServer } from "../../kit/servers/mcp_server.ts";
import { serverCommand } from "../../tools/mcp/managed/stdio_servers.ts";
import { until } from "../../kit/until.ts";
import { type ManagedGateway, withManagedServers } from "./gateway.ts";

const SERVERS = { good: serverCommand(), bad: { ...serverCommand("fail"), restart_policy: "never" } };

function toMessage(server: string) {
  return {
    model: "openai/gpt-5",
    max_tokens: 100,
    messages: [{ role: "user", content: "Go" }],
    tools: [{ type: "mcp_toolset", mcp_server_name: server }],
  };
}

/** Returns the text of each result in a message. */
function resultsIn(content: Record<string, unknown>[]): unknown[] {
  return content.filter(({ type }) => type === "mcp_tool_result").map(({ is_error, content: result }) => [
    is_error,
    Array.isArray(result) ? result.map(({ text }) => text).join() : result,
  ]);
}

withManagedServers(
  "POST /v1/messages starts a stopped server that its toolset names, and receives its results",
  () => {
    const model = createModel();
    model.script(
      reply({
        tools: [call("call_1", "good_echo", { text: "one" }), call("call_2", "good_echo", { text: "two" })],
      }),
      reply({ text: ["Done."] }),
    );
    return {
      servers: SERVERS,
      fetch: model.fetch,
      async run({ ask }) {
        const { status, body } = await ask("POST /messages", toMessage("good"));
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(resultsIn(body.content), [[false, "one"], [false, "two"]]);
        const [first, second] = model.requests;
        assert.ok(first && second);
        assert.deepEqual(resultsSentIn(second).map(({ text }) => text), ["one", "two"]);
        assert.equal((await ask("GET /mcp/servers/good/status")).body.running, true);
      },
    };
  },
);

withManagedServers(
  "POST /v1/messages reports a server that is killed during a call, and uses it in the next turn",
  () => {
    const model = createModel();
    model.script(
      reply({ tools: [call("call_1", "good_hang", {})] }),
      reply({ tools: [call("call_2", "good_echo", { text: "back" })] }),
      reply({ text: ["Done."] }),
    );
    return {
      servers: SERVERS,
      fetch: model.fetch,
      async run({ ask }) {
        await ask("POST /mcp/servers/good/start");
        const { body: { pid } } = await ask("GET /mcp/servers/good/status");
        const answering = ask("POST /messages", toMessage("good"));
        await until(async () => model.requests.length === 1);
        await hangs({ ask });
        process.kill(pid, "SIGKILL");
        const { status, body } = await answering;
        assert.equal(status, 200, JSON.stringify(body));
        const [failed, back] = resultsIn(body.content);
        assert.match(String(failed), /^true,.*it closed the connection/);
        assert.deepEqual(back, [false, "back"]);
        assert.equal((await ask("GET /mcp/servers/good/status")).body.restart_count, 1);
      },
    };
  },
);

/** Waits until the server has logged to stderr that it received the call that hangs. */
async function hangs({ ask }: Pick<ManagedGateway, "ask">): Promise<void> {
  await until(async () => (await ask("GET /mcp/servers/good/status")).body.log.includes("hanging"));
}

withManagedServers("POST /v1/messages is a 400 with the reason if a server cannot be started", () => {
  const model = createModel();
  return {
    servers: SERVERS,
    fetch: model.fetch,
    async run({ ask }) {
      const { status, body } = await ask("POST /messages", { ...toMessage("bad"), stream: true });
      assert.deepEqual([status, body.error.type], [400, "invalid_request_error"]);
      assert.match(body.error.message, /MCP server "bad": it exited with status 3/);
      assert.equal(model.requests.length, 0);
    },
  };
});

withManagedServers(
  "POST /v1/messages uses a server over HTTP, with its headers, also after it lost the session",
  async () => {
    let session = "one";
    const isOld = (sent: unknown) => sent !== undefined && sent !== session;
    const server: TestMcpServer = await serveMcp({
      token: "0123456789",
      intercept({ message, headers }, response) {
        if (message?.method === "initialize") response.setHeader("mcp-session-id", session);
        else if (isOld(headers["mcp-session-id"])) response.writeHead(404).end();
        return response.headersSent;
      },
    });
    const model = createModel();
    model.script(
      reply({ tools: [call("call_1", "remote_echo", { word: "one" })] }),
      reply({ tools: [call("call_2", "remote_echo", { word: "two" })] }),
      reply({ text: ["Done."] }),
    );
    return {
      servers: { remote: { type: "http", url: server.url, headers: { Authorization: "Bearer 0123456789" } } },
      fetch: model.fetch,
      async run({ ask }) {
        try {
          await ask("POST /mcp/servers/remote/start");
          const { body: status } = await ask("GET /mcp/servers/remote/status");
          assert.deepEqual([status.running, status.pid, status.config.type], [true, null, "http"]);
          session = "two";
          const { body } = await ask("POST /messages", toMessage("remote"));
          assert.deepEqual(resultsIn(body.content), [[false, "You said one"], [false, "You said two"]]);
          assert.equal(server.methods().filter((method) => method === "initialize").length, 2);
          await ask("POST /mcp/servers/remote/stop");
        } finally {
          await server.close();
        }
        const { status: failed, body: failure } = await ask("POST /mcp/servers/remote/start");
        assert.equal(failed, 502);
        assert.match(failure.error.message, /^Cannot start MCP server "remote": /);
      },
    };
  },
);

withManagedServers("a managed toolset and Anthropic's connector can be used together", () => {
  const model = createModel();
  const docs = { type: "mcp_toolset", mcp_server_name: "docs" };
  const mcp_servers = [{ type: "url", name: "docs", url: "https://mcp.example/" }];
  const message = { ...toMessage("good"), model: "direct/claude-opus-5.5" };
  model.script(
    reply({ tools: [call("toolu_1", "good_echo", { text: "bee" })] }),
    reply({ text: ["Bee."] }),
    reply({ text: ["Gladly."] }),
  );
  return {
    servers: { good: serverCommand() },
    settings: { UPSTREAMS: { direct: { url: "https://api.anthropic.com/api/v1", key: "k" } } },
    fetch: model.fetch,
    async run({ ask }) {
      const { status, body } = await ask("POST /messages", {
        ...message,
        mcp_servers,
        tools: [docs, ...message.tools],
      });
      assert.equal(status, 200, JSON.stringify(body));
      assert.deepEqual(resultsIn(body.content), [[false, "bee"]]);
      for (const { body: sent } of model.requests) {
        assert.deepEqual(sent.mcp_servers, mcp_servers);
        assert.deepEqual(objects(sent.tools)[0], docs);
        assert.deepEqual(objects(sent.tools)[1]?.name, "good_echo");
      }
      // Without the toolset, Anthropic has no such server: its blocks are sent as text.
      const answer = { role: "assistant", content: body.content };
      const messages = [...message.messages, answer, ...message.messages];
      await ask("POST /messages", { ...message, messages, tools: undefined });
      const sent = JSON.stringify(model.requests.at(-1)?.body);
      assert.match(sent, /The tool echo of good was used/);
      assert.doesNotMatch(sent, /mcp_tool/);
    },
  };
});
