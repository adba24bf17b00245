import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { systemClock } from "../../../lib/runtime/clock.ts";
import { createGateway } from "../../../mod.ts";
import { call, say } from "../../clients/turns.ts";
import { foldEvents, parseEvents } from "../../kit/events.ts";
import { checkComplete } from "../../kit/grammar.ts";
import { asJson, dig, type Json, objects } from "../../kit/json.ts";
import { serverCommand } from "../../tools/mcp/managed/stdio_servers.ts";
import { createModel, MODEL_APIS, offeredNames, type ScriptedModel, toText } from "../tools/model.ts";

const SECRET = "0123456789-secret";
const skip = process.platform === "win32" ? "no process groups on Windows" : false;
const TOOLSET = { type: "mcp_toolset", mcp_server_name: "good" };
const SERVERS = {
  good: serverCommand(),
  bad: { ...serverCommand("fail", "--token", SECRET), env: { SERVER_KEY: SECRET }, restart_policy: "never" },
};

type Ask = (body: Json) => Promise<{ status: number; body: Json }>;

/** Runs a test with a gateway that manages the servers, and ends them. */
function withServers(name: string, run: (ask: Ask, model: ScriptedModel) => Promise<void>): void {
  test(name, { skip, timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "mcp-"));
    const path = join(folder, ".mcp.json");
    writeFileSync(path, JSON.stringify({ mcpServers: SERVERS }));
    const model = createModel();
    const gateway = createGateway({
      settings: {
        OPENROUTER_API_KEY: "sk-or-test",
        GATEWAY_ADMIN_KEY: "admin-0123456789abcdef",
        GATEWAY_API_KEYS: "alice:a-key-of-alice-1234",
        UPSTREAMS: { direct: { url: "https://api.anthropic.com/api/v1", key: "k" } },
        MCP_CONFIG: path,
      },
      fetch: model.fetch,
      clock: systemClock,
    });
    try {
      await run(async (body) => {
        const defaults = { max_tokens: 1024, messages: [{ role: "user", content: "Go" }], tools: [TOOLSET] };
        const response = await gateway.fetch(
          new Request("http://gateway.test/v1/messages", {
            method: "POST",
            headers: { "content-type": "application/json", "x-api-key": "a-key-of-alice-1234" },
            body: JSON.stringify({ ...defaults, ...body }),
          }),
        );
        const text = await response.text();
        assert.ok(!text.includes(SECRET), text);
        if (body.stream !== true || response.status !== 200) {
          return { status: response.status, body: asJson(JSON.parse(text)) };
        }
        const events = parseEvents(text);
        assert.equal(checkComplete(events), "message_stop");
        return { status: 200, body: foldEvents(events) };
      }, model);
    } finally {
      await gateway.stop();
      rmSync(folder, { recursive: true });
    }
  });
}

for (const [nth, { name, model: id, ids }] of MODEL_APIS.entries()) {
  const stream = nth === 0;
  withServers(
    `a toolset starts a stopped server, and starts it again after it has died, ${name}`,
    async (ask, model) => {
      model.script(
        say({ tools: [call(`${ids.upstream}1`, "good_echo", { text: "bee" })] }),
        say({ tools: [call(`${ids.upstream}2`, "good_exit", {})] }),
        say({ tools: [call(`${ids.upstream}3`, "good_echo", { text: "wasp" })] }),
        say({ text: ["Done."] }),
      );
      const { status, body } = await ask({ model: id, stream });
      assert.equal(status, 200, JSON.stringify(body));
      const results = objects(body.content).filter(({ type }) => type === "mcp_tool_result");
      assert.deepEqual(
        results.map(({ is_error }) => is_error),
        [false, true, false],
        JSON.stringify(results),
      );
      assert.match(toText(results[0]?.content), /bee/);
      assert.match(toText(results[2]?.content), /wasp/);
      assert.equal(dig(body, "content", 0, "server_name"), "good");
    },
  );
}

withServers("a managed toolset and Anthropic's own connector go together", async (ask, model) => {
  model.script(say({ tools: [call("toolu_1", "good_echo", { text: "bee" })] }), say({ text: ["Bee."] }));
  const mcp_servers = [{ type: "url", name: "docs", url: "https://mcp.example/" }];
  const docs = { type: "mcp_toolset", mcp_server_name: "docs" };
  const { status, body } = await ask({
    model: "direct/claude-opus-5.5",
    mcp_servers,
    tools: [docs, TOOLSET],
  });
  assert.equal(status, 200, JSON.stringify(body));
  const [first, second] = model.requests;
  assert.ok(first && second);
  for (const request of [first, second]) {
    assert.deepEqual(request.body.mcp_servers, mcp_servers);
    assert.deepEqual(objects(request.body.tools)[0], docs);
    assert.ok(offeredNames(request).includes("good_echo"));
  }
  const answer = { role: "assistant", content: body.content };
  model.script(say({ text: ["Gladly."] }));
  const go = { role: "user", content: "Go" };
  // Without the toolset, Anthropic cannot know the server: its blocks are text.
  await ask({ model: "direct/claude-opus-5.5", messages: [go, answer, go], tools: undefined });
  const sent = JSON.stringify(model.requests.at(-1)?.body);
  assert.match(sent, /The tool echo of good was used/);
  assert.doesNotMatch(sent, /mcp_tool/);
});

withServers("a server that cannot be started is a 400 before the first event", async (ask, model) => {
  const tools = [{ type: "mcp_toolset", mcp_server_name: "bad" }];
  const { status, body } = await ask({ model: "openai/gpt-5", stream: true, tools });
  assert.equal(status, 400);
  assert.match(
    String(dig(body, "error", "message")),
    /^Connection error while communicating with MCP server "bad"/,
  );
  const unknown = await ask({ model: "openai/gpt-5", tools: [{ ...TOOLSET, mcp_server_name: "none" }] });
  assert.equal(unknown.status, 400);
  assert.match(
    String(dig(unknown.body, "error", "message")),
    /references server "none" which is not defined/,
  );
  assert.deepEqual(model.requests, []);
});
