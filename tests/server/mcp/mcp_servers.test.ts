import assert from "node:assert/strict";
import { test } from "node:test";
import { fenceText } from "../../../lib/dialects/fence.ts";
import { call, reply } from "../../kit/model/turns.ts";
import { MODEL_APIS, offeredNames, resultsSentIn } from "../../end_to_end/tools/model.ts";
import { dig, type Json, objects } from "../../kit/json.ts";
import { ECHO } from "../../kit/servers/mcp_server.ts";
import { TOOLSET, withMcp } from "./mcp_gateway.ts";

/** Removes the citations, which only one of the two APIs has. */
const withoutCitations = ({ citations: _citations, ...block }: Json) => block;

for (const { name, model, ids } of MODEL_APIS) {
  const id = `mcptoolu_gw_${ids.upstream}1`;
  for (const stream of [false, true]) {
    test(`mcp_servers works with a ${name} model, ${stream ? "streamed" : "at once"}`, () =>
      withMcp({ session: "s" }, async (testbed) => {
        testbed.model.script(
          reply({ text: ["Let me see."], tools: [call(`${ids.upstream}1`, "docs_echo", { word: "bee" })] }),
          reply({ text: ["Bee."] }),
        );
        const { status, body } = await testbed.ask({ model, stream });
        assert.equal(status, 200, JSON.stringify(body));
        assert.deepEqual(objects(body.content).map(withoutCitations), [
          { type: "text", text: "Let me see." },
          {
            type: "mcp_tool_use",
            id,
            name: "echo",
            server_name: "docs",
            input: { word: "bee" },
          },
          {
            type: "mcp_tool_result",
            tool_use_id: id,
            is_error: false,
            content: [{ type: "text", text: "You said bee" }],
          },
          { type: "text", text: "Bee." },
        ]);
        assert.equal(body.stop_reason, "end_turn");
        const [first, second] = testbed.model.requests;
        assert.ok(first && second);
        assert.deepEqual(offeredNames(first), ["docs_echo"]);
        assert.deepEqual(resultsSentIn(second), [{ id: `${ids.upstream}1`, text: "You said bee" }]);
        const sent = JSON.stringify([first.body, second.body]);
        assert.match(sent, /described by that server/);
        assert.ok(
          sent.includes(JSON.stringify(fenceText("You said bee", `${ids.upstream}1`)).slice(1, -1)) ||
            sent.includes("untrusted-"),
          "the result is fenced",
        );
        assert.doesNotMatch(sent, /mcp_servers|mcp_toolset|mcptoolu_/);
        // One session, one list of tools, and its end.
        const { server } = testbed;
        assert.deepEqual(server.methods(), [
          ...["initialize", "notifications/initialized", "tools/list", "tools/call"],
        ]);
        while (server.requests.at(-1)?.http !== "DELETE") {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }));
  }
}

test("mcp_servers without a toolset offers all tools, or those of tool_configuration", () =>
  withMcp({ tools: [ECHO, { ...ECHO, name: "other" }] }, async ({ model, docs, ask }) => {
    model.script(reply({ text: ["1"] }), reply({ text: ["2"] }), reply({ text: ["3"] }));
    const headers = { "anthropic-beta": "mcp-client-2025-04-04" };
    await ask({ tools: undefined }, { headers });
    const tool_configuration = { allowed_tools: ["other"], enabled: true };
    await ask({ tools: undefined, mcp_servers: [{ ...docs, tool_configuration }] }, { headers });
    await ask({ tools: undefined, mcp_servers: [{ ...docs, tool_configuration: { enabled: false } }] });
    assert.deepEqual(model.requests.map(offeredNames), [["docs_echo", "docs_other"], ["docs_other"], []]);
  }));

test("mcp_toolset selects tools by default_config and configs, and keeps its cache breakpoint", () =>
  withMcp({ tools: ["a", "b", "c"].map((name) => ({ ...ECHO, name })) }, async ({ model, ask }) => {
    model.script(reply({ text: ["1"] }), reply({ text: ["2"] }));
    const cache_control = { type: "ephemeral" };
    const request = { model: "anthropic/claude-sonnet-4.5" };
    await ask({
      ...request,
      tools: [{ ...TOOLSET, configs: { b: { enabled: false }, z: {} }, cache_control }],
    });
    await ask({
      ...request,
      tools: [{ ...TOOLSET, default_config: { enabled: false }, configs: { b: { enabled: true } } }],
    });
    assert.deepEqual(model.requests.map(offeredNames), [["docs_a", "docs_c"], ["docs_b"]]);
    const tools = objects(model.requests[0]?.body.tools);
    assert.deepEqual(tools.map((tool) => tool.cache_control), [undefined, cache_control]);
  }));

test("defer_loading withholds the tools of a server until a tool search has found them", () =>
  withMcp(
    { tools: [ECHO, { ...ECHO, name: "weather", description: "Tells the weather." }] },
    async (testbed) => {
      testbed.model.script(
        reply({ tools: [call("call_1", "tool_search_tool_bm25", { query: "weather" })] }),
        reply({ tools: [call("call_2", "docs_weather", { word: "rain" })] }),
        reply({ text: ["Rain."] }),
      );
      const search = { type: "tool_search_tool_bm25_20251119", name: "tool_search_tool_bm25" };
      const { body } = await testbed.ask({
        tools: [search, { ...TOOLSET, default_config: { defer_loading: true } }],
      });
      assert.deepEqual(testbed.model.requests.map(offeredNames), [
        ["tool_search_tool_bm25"],
        ["tool_search_tool_bm25", "docs_weather"],
        ["tool_search_tool_bm25", "docs_weather"],
      ]);
      assert.deepEqual(objects(body.content).map(({ type }) => type), [
        "server_tool_use",
        "tool_search_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        "text",
      ]);
    },
  ));

test("names of tools are unique and valid for the upstream, and the client receives the server's", () =>
  withMcp(
    { tools: [ECHO, { ...ECHO, name: "read me/now" }, { ...ECHO, name: "x".repeat(100) }] },
    async (testbed) => {
      const own = { name: "docs_echo", input_schema: { type: "object" } };
      testbed.model.script(reply({ text: ["1"] }));
      await testbed.ask({ tools: [TOOLSET, own] });
      const names = testbed.model.requests[0] ? offeredNames(testbed.model.requests[0]) : [];
      assert.deepEqual(names.slice(0, 1).concat(names.slice(3)), ["docs_echo_2", "docs_echo"]);
      for (const name of names) assert.match(name, /^[a-zA-Z0-9_-]{1,64}$/);
      const odd = names[1] ?? "";
      testbed.model.script(reply({ tools: [call("call_1", odd, { word: "a" })] }), reply({ text: ["2"] }));
      const { body } = await testbed.ask({ tools: [TOOLSET, own] });
      assert.equal(dig(body, "content", 0, "name"), "read me/now");
      testbed.model.script(reply({ text: ["3"] }));
      await testbed.ask({ tools: [TOOLSET], tool_choice: { type: "tool", name: "read me/now" } });
      assert.equal(dig(testbed.model.requests.at(-1)?.body, "tool_choice", "function", "name"), odd);
    },
  ));

test("blocks of an earlier answer are sent to the model as calls, or as text if the server is not configured", () =>
  withMcp({}, async (testbed) => {
    const content = [
      {
        type: "mcp_tool_use",
        id: "mcptoolu_gw_call_1",
        name: "echo",
        server_name: "docs",
        input: { word: "a" },
      },
      {
        type: "mcp_tool_result",
        tool_use_id: "mcptoolu_gw_call_1",
        is_error: false,
        content: [{ type: "text", text: "You said a" }],
      },
      { type: "text", text: "A." },
    ];
    const listing = { type: "mcp_tool_listing", mcp_server_name: "docs", tools: [] };
    const messages = [
      { role: "user", content: "Go" },
      { role: "assistant", content: [listing, ...content] },
      { role: "user", content: "On" },
    ];
    for (const { model, path } of MODEL_APIS) {
      testbed.model.script(reply({ text: ["1"] }), reply({ text: ["2"] }));
      await testbed.ask({ model, messages: messages.with(1, { role: "assistant", content }) });
      const present = testbed.model.requests.at(-1);
      assert.ok(present);
      assert.deepEqual(resultsSentIn(present).map(({ text }) => text), ["You said a"], path);
      const { status } = await testbed.ask({ model, messages, tools: undefined, mcp_servers: undefined });
      assert.equal(status, 200);
      const gone = JSON.stringify(testbed.model.requests.at(-1)?.body);
      assert.match(gone, /The tool echo of docs was used with/);
      assert.match(gone, /untrusted-[0-9a-f]+>\\+nYou said a/);
      assert.doesNotMatch(gone, /mcptoolu_|mcp_tool/);
    }
  }));

test("an open call of a paused answer is run when the client sends the answer back", () =>
  withMcp({ settings: { TOOL_TURNS: "1" } }, async (testbed) => {
    testbed.model.script(
      reply({ tools: [call("call_1", "docs_echo", { word: "a" })] }),
      reply({ text: ["A."] }),
    );
    const paused = await testbed.ask({});
    assert.equal(paused.body.stop_reason, "pause_turn");
    const messages = [
      { role: "user", content: "Go" },
      { role: "assistant", content: paused.body.content },
    ];
    const { body } = await testbed.ask({ messages });
    assert.deepEqual(objects(body.content).map(({ type }) => type), ["mcp_tool_result", "text"]);
    assert.equal(dig(body, "content", 0, "tool_use_id"), dig(paused.body, "content", 0, "id"));
  }));

test("parallel calls of one turn run at the same time, and their results keep the order of the calls", () => {
  const waiting: (() => void)[] = [];
  const arrive = (word: unknown) =>
    new Promise<{ content: unknown[] }>((resolve) => {
      waiting.push(() => resolve({ content: [{ type: "text", text: String(word) }] }));
      if (waiting.length === 3) { for (const release of waiting.reverse()) release(); }
    });
  return withMcp({ call: (_name, { word }) => arrive(word) }, async (testbed) => {
    const tools = ["a", "b", "c"].map((word, nth) => call(`call_${nth}`, "docs_echo", { word }));
    testbed.model.script(reply({ tools }), reply({ text: ["Done."] }));
    const { body } = await testbed.ask({});
    const results = objects(body.content).filter(({ type }) => type === "mcp_tool_result");
    assert.deepEqual(results.map(({ content }) => dig(content, 0, "text")), ["a", "b", "c"]);
  });
});

test("tools of a toolset are offered without a request to the server, which is connected to for a call", () =>
  withMcp({}, async ({ model, ask, server }) => {
    const tools = [{ name: "echo", input_schema: { type: "object" } }, { name: "bad", input_schema: "none" }];
    model.script(reply({ text: ["1"] }));
    const { headers } = await ask({ tools: [{ ...TOOLSET, tools }] });
    assert.deepEqual(model.requests.map(offeredNames), [["docs_echo"]]);
    assert.equal(headers.get("x-gateway-loss"), "tools.0.tools.bad;dropped");
    assert.deepEqual(server.requests, []);
    model.script(reply({ tools: [call("call_1", "docs_echo", { word: "a" })] }), reply({ text: ["2"] }));
    const { body } = await ask({ tools: [{ ...TOOLSET, tools }] });
    assert.deepEqual(dig(body, "content", 1, "content", 0, "text"), "You said a");
    assert.ok(!server.methods().includes("tools/list"));
  }));

test("VALIDATION=strict accepts MCP servers, whose betas the gateway uses", () =>
  withMcp({ settings: { VALIDATION: "strict" } }, async ({ model, ask }) => {
    for (const api of MODEL_APIS) {
      model.script(reply({ text: ["1"] }));
      const headers = { "anthropic-beta": "mcp-client-2025-11-20" };
      const { status, body } = await ask({ model: api.model }, { headers });
      assert.equal(status, 200, JSON.stringify(body));
    }
  }));

test("POST /v1/messages/count_tokens counts the tools of a server", () =>
  withMcp({ tools: [{ ...ECHO, description: "word ".repeat(500) }] }, async ({ gateway, docs, server }) => {
    const count = async (body: object) => {
      const request = { model: "openai/gpt-5", messages: [{ role: "user", content: "Go" }], ...body };
      const response = await gateway.post(request, { path: "/v1/messages/count_tokens" });
      assert.equal(response.status, 200, await response.clone().text());
      return Number((await response.json()).input_tokens);
    };
    const without = await count({});
    const counted = await count({ mcp_servers: [docs], tools: [TOOLSET] });
    assert.ok(counted > without + 400, `${counted} after ${without}`);
    assert.ok(!server.methods().includes("tools/call"));
  }));
