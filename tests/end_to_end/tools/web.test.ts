import assert from "node:assert/strict";
import { after, test } from "node:test";
import { call, reply } from "../../kit/model/turns.ts";
import { MODEL_APIS, NATIVE, offeredNames, resultsSentIn, TRANSLATED } from "./model.ts";
import { answerSideRequest, HITS, isSearch, startWeb, toWebSettings } from "./network.ts";
import { type ToolGateway, withToolGateway } from "./tool_gateway.ts";
import { serveMcp } from "../../kit/servers/mcp_server.ts";
import { dig, isJson, type Json, objects, text } from "../../kit/json.ts";

const web = await startWeb();
after(() => web.close());

const SEARCH: Json = { type: "web_search_20250305", name: "web_search" };
const FETCH: Json = { type: "web_fetch_20250910", name: "web_fetch" };
const NETWORK = { TOOLS: "network", ...toWebSettings(web, "searxng") };
const { model } = TRANSLATED;
const [DANCE, CLOVER] = HITS;
assert.ok(DANCE && CLOVER);

const types = ({ content }: Json) => objects(content).map(({ type }) => type);
const resultsSent = (gateway: ToolGateway, at: number) => {
  const request = gateway.model.requests.filter((one) => !isSearch(one))[at];
  assert.ok(request, `the model received fewer than ${at + 1} requests`);
  return resultsSentIn(request);
};

const SEARCHES: Record<string, Record<string, string>> = {
  "SearXNG": NETWORK,
  "OpenRouter": { TOOLS: "network", ...toWebSettings(web, "openrouter") },
  "OpenRouter, without tools": {},
};

for (const stream of [false, true]) {
  for (const [by, settings] of Object.entries(SEARCHES)) {
    test(`web_search runs for a model without it, by ${by}, ${stream ? "streamed" : "whole"}`, () =>
      withToolGateway(settings, async (gateway) => {
        gateway.model.choose(answerSideRequest);
        const tools = [{ ...SEARCH, max_uses: 3 }];
        const answered = { text: ["Bees dance. [", "[1.", "1]] Clover ", "grows. [[1.2]]", " So it is."] };
        gateway.model.script(
          reply({ text: ["I search."], tools: [call("call_1", "web_search", { query: "dance" })] }),
          reply(answered),
        );
        const { status, body } = await gateway.ask({ model, tools, stream });
        assert.equal(status, 200, JSON.stringify(body));
        const content = objects(body.content);
        assert.deepEqual(
          types(body),
          ["text", "server_tool_use", "web_search_tool_result", "text", "text", "text"],
        );
        const [, use, result, dance, clover, last] = content;
        assert.deepEqual(use, {
          type: "server_tool_use",
          id: "srvtoolu_gw_call_1",
          name: "web_search",
          input: { query: "dance" },
        });
        assert.equal(result?.tool_use_id, use?.id);
        const hits = objects(result?.content).slice(0, 2);
        assert.deepEqual(
          hits.map(({ type, url, title, page_age }) => ({ type, url, title, page_age })),
          HITS.map(({ url, title }) => ({ type: "web_search_result", url, title, page_age: null })),
        );
        for (const { encrypted_content } of hits) assert.notEqual(text(encrypted_content), "");
        assert.deepEqual([dance?.text, clover?.text, last?.text], [
          "Bees dance.",
          " Clover grows.",
          " So it is.",
        ]);
        checkCitation(dance, DANCE);
        checkCitation(clover, CLOVER);
        assert.deepEqual(dig(body, "usage", "server_tool_use"), { web_search_requests: 1 });
        assert.equal(dig(body, "usage", "input_tokens"), 42);

        // The client sends the pages, and the citations with their marks, back with the conversation.
        gateway.model.script(reply({ text: ["Gladly. [[1.1]]"] }));
        const messages = [
          { role: "user", content: "Go" },
          { role: "assistant", content: body.content },
          { role: "user", content: "Thanks" },
        ];
        const second = await gateway.ask({ model, tools, messages, stream });
        assert.deepEqual(resultsSent(gateway, 2), resultsSent(gateway, 1));
        assert.match(
          resultsSent(gateway, 2)[0]?.text ?? "",
          /\[\[[0-9a-f]{6}\.1\]\] The dance of bees\n.*\nBees dance a figure of eight\./,
        );
        const answers = objects(gateway.model.requests.at(-1)?.body.messages).filter(({ role }) =>
          role === "assistant"
        );
        assert.match(JSON.stringify(answers.at(-1)), /Bees dance\. \[\[[0-9a-f]{6}\.1\]\]/);
        checkCitation(objects(second.body.content)[0], DANCE);
      }));
  }
}

function checkCitation(block: Json | undefined, hit: typeof DANCE): void {
  const [citation, ...more] = objects(block?.citations);
  assert.deepEqual(more, []);
  const { encrypted_index, ...plain } = citation ?? {};
  assert.notEqual(text(encrypted_index), "");
  assert.deepEqual(plain, {
    type: "web_search_result_location",
    url: hit?.url,
    title: hit?.title,
    cited_text: hit?.content,
  });
}

test("web_search respects max_uses and its domains", () =>
  withToolGateway(NETWORK, async (gateway) => {
    const tools = [{ ...SEARCH, max_uses: 1, allowed_domains: ["flowers.example"] }];
    const calls = ["call_1", "call_2"].map((id) => call(id, "web_search", { query: "clover" }));
    gateway.model.script(reply({ tools: calls }), reply({ text: ["One."] }));
    const { body } = await gateway.ask({ model, tools });
    assert.deepEqual(types(body).slice(0, 2), ["server_tool_use", "server_tool_use"]);
    const [first, second] = objects(body.content).filter(({ type }) => type === "web_search_tool_result");
    assert.deepEqual(objects(first?.content).map(({ url }) => url), [CLOVER.url]);
    assert.deepEqual(second?.content, {
      type: "web_search_tool_result_error",
      error_code: "max_uses_exceeded",
    });
    assert.deepEqual(dig(body, "usage", "server_tool_use"), { web_search_requests: 1 });
    assert.match(web.searched().at(-1) ?? "", /site:flowers\.example/);
    assert.match(resultsSent(gateway, 1)[1]?.text ?? "", /max_uses_exceeded/);
  }));

test("web_search returns an error for a call without a query", () =>
  withToolGateway(NETWORK, async (gateway) => {
    gateway.model.script(
      reply({ tools: [call("call_1", "web_search", { q: 7 })] }),
      reply({ text: ["Sorry."] }),
    );
    const { body } = await gateway.ask({ model, tools: [SEARCH] });
    const code = dig(objects(body.content)[1], "content", "error_code");
    assert.equal(code, "invalid_tool_input");
    assert.equal(dig(body, "usage", "server_tool_use"), undefined);
  }));

test("web_search is forwarded to an upstream that supports it", () =>
  withToolGateway(NETWORK, async (gateway) => {
    gateway.model.script(reply({ text: ["Yes."] }));
    await gateway.ask({ model: NATIVE.model, tools: [SEARCH] });
    assert.deepEqual(gateway.model.requests[0]?.body.tools, [SEARCH]);
  }));

/** URLs, and their result or error code; the user has named them unless `named` is false. */
const ADDRESSES: {
  url: string;
  tool?: Json;
  code?: string;
  named?: boolean;
  title?: string;
  matches?: RegExp;
}[] = [
  { url: web.page, title: "On bees", matches: /figure of eight/ },
  { url: `http://${web.host}/paper`, matches: /^JVBERi0xLj/ },
  { url: web.page, named: false, code: "url_not_in_prior_context" },
  { url: web.page, tool: { allowed_domains: ["bees.example"] }, code: "url_not_allowed" },
  { url: "http://169.254.169.254/latest", code: "url_not_allowed" },
  { url: "http://localhost:1/", code: "url_not_allowed" },
  { url: "file:///etc/passwd", code: "url_not_allowed" },
  { url: `http://${web.host}/away`, code: "url_not_allowed" },
  { url: `http://${web.host}/nowhere`, code: "url_not_accessible" },
  { url: `http://${web.host}/picture`, code: "unsupported_content_type" },
  { url: `http://${web.host}/${"x".repeat(250)}`, code: "url_too_long" },
  { url: web.page, tool: { max_uses: 0 }, code: "max_uses_exceeded" },
];

for (const api of MODEL_APIS) {
  test(`web_fetch fetches allowed URLs that the conversation names, ${api.name}`, () =>
    withToolGateway(NETWORK, async (gateway) => {
      for (const [nth, { url, tool = {}, code, named = true, title, matches }] of ADDRESSES.entries()) {
        const fetched = call(`${api.ids.upstream}${nth}`, "web_fetch", { url });
        gateway.model.script(reply({ tools: [fetched] }), reply({ text: ["So it is."] }));
        const messages = [{ role: "user", content: named ? `Look at ${url}` : "Look around" }];
        const { body } = await gateway.ask({
          model: api.model,
          tools: [{ ...FETCH, ...tool }],
          messages,
          stream: true,
        });
        assert.deepEqual(types(body), ["server_tool_use", "web_fetch_tool_result", "text"]);
        const [use, result] = objects(body.content);
        assert.equal(use?.id, `${api.ids.server}${nth}`);
        assert.equal(result?.tool_use_id, use?.id);
        if (code !== undefined) {
          assert.deepEqual(result?.content, { type: "web_fetch_tool_result_error", error_code: code }, url);
          continue;
        }
        const page = dig(result, "content");
        assert.ok(isJson(page));
        const { content, ...fields } = page;
        assert.deepEqual(fields, {
          type: "web_fetch_result",
          url,
          retrieved_at: new Date(gateway.clock.now()).toISOString(),
        });
        assert.equal(dig(content, "title"), title ?? null);
        assert.match(text(dig(content, "source", "data")), matches ?? /./);
        assert.deepEqual(dig(body, "usage", "server_tool_use"), { web_fetch_requests: 1 });
      }
    }));
}

test("web_fetch fetches a URL that a search has found", () =>
  withToolGateway(NETWORK, async (gateway) => {
    gateway.model.script(
      reply({ tools: [call("call_1", "web_search", { query: "bees" })] }),
      reply({ tools: [call("call_2", "web_fetch", { url: web.page })] }),
      reply({ text: ["Von Frisch was it."] }),
    );
    const { body } = await gateway.ask({ model, tools: [SEARCH, FETCH] });
    assert.equal(
      dig(objects(body.content)[3], "content", "type"),
      "web_fetch_result",
      JSON.stringify(body.content),
    );
    assert.deepEqual(dig(body, "usage", "server_tool_use"), {
      web_search_requests: 1,
      web_fetch_requests: 1,
    });

    // Again after the client has sent the conversation back.
    gateway.model.script(
      reply({ tools: [call("call_3", "web_fetch", { url: web.page })] }),
      reply({ text: ["Again."] }),
    );
    const messages = [
      { role: "user", content: "Go" },
      { role: "assistant", content: body.content },
      { role: "user", content: "Look again" },
    ];
    const again = await gateway.ask({ model, tools: [SEARCH, FETCH], messages });
    assert.equal(dig(objects(again.body.content)[1], "content", "type"), "web_fetch_result");
  }));

test("web_fetch rejects a URL that a gateway tool only echoed from the model", () =>
  withToolGateway({ TOOLS: "files-read,network", ...toWebSettings(web, "searxng") }, async (gateway) => {
    const toolset = { type: "mcp_toolset", mcp_server_name: "workspace" };
    const echoes = {
      Read: { file_path: web.page },
      TodoWrite: { todos: [{ content: web.page, status: "pending" }] },
    };
    for (const [own, echo] of Object.entries(echoes)) {
      gateway.model.script(
        reply({ tools: [call("call_1", own, echo)] }),
        reply({ tools: [call("call_2", "web_fetch", { url: web.page })] }),
        reply({ text: ["No."] }),
      );
      const { body } = await gateway.ask({ model, tools: [FETCH, toolset] });
      const [, repeated, , fetched] = objects(body.content);
      assert.match(JSON.stringify(repeated), /127\.0\.0\.1/);
      assert.equal(dig(fetched, "content", "error_code"), "url_not_in_prior_context");
    }
  }));

test("web_fetch rejects a URL that the tool of an MCP server returned", async () => {
  const server = await serveMcp();
  const { WEB_FETCH_ALLOW_HOSTS, ...settings } = toWebSettings(web, "searxng");
  try {
    await withToolGateway({
      TOOLS: "network",
      ...settings,
      WEB_FETCH_ALLOW_HOSTS: `${WEB_FETCH_ALLOW_HOSTS},${server.host}`,
    }, async (gateway) => {
      gateway.model.script(
        reply({ tools: [call("call_1", "docs_echo", { word: web.page })] }),
        reply({ tools: [call("call_2", "web_fetch", { url: web.page })] }),
        reply({ text: ["No."] }),
      );
      const { body } = await gateway.ask({
        model,
        tools: [FETCH, { type: "mcp_toolset", mcp_server_name: "docs" }],
        mcp_servers: [{ type: "url", name: "docs", url: server.url }],
      });
      const [, repeated, , fetched] = objects(body.content);
      assert.match(JSON.stringify(repeated), /You said http/);
      assert.equal(dig(fetched, "content", "error_code"), "url_not_in_prior_context");
    });
  } finally {
    await server.close();
  }
});

test("web_fetch fetches a URL from a result of a client tool with any name", () =>
  withToolGateway({ TOOLS: "files-read,network", ...toWebSettings(web, "searxng") }, async (gateway) => {
    const own = { name: "Read", input_schema: { type: "object" } };
    const toolset = { type: "mcp_toolset", mcp_server_name: "workspace" };
    gateway.model.script(
      reply({ tools: [call("call_2", "web_fetch", { url: web.page })] }),
      reply({ text: ["Yes."] }),
    );
    const { body } = await gateway.ask({
      model,
      tools: [FETCH, own, toolset],
      messages: [
        { role: "user", content: "Go" },
        { role: "assistant", content: [{ type: "tool_use", id: "call_1", name: "Read", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "call_1", content: web.page }] },
      ],
    });
    assert.equal(dig(objects(body.content)[1], "content", "type"), "web_fetch_result");
  }));

for (const kind of ["regex", "bm25"]) {
  for (const api of MODEL_APIS) {
    test(`tool_search_tool_${kind} finds the client's tools and the gateway's, ${api.name}`, () =>
      withToolGateway({ TOOLS: "files-read" }, async (gateway) => {
        gateway.put({ "hive.txt": "queen\n" });
        const name = `tool_search_tool_${kind}`;
        const weather = {
          name: "get_weather",
          description: "The weather of a city.",
          input_schema: { type: "object", properties: { city: { type: "string" } } },
          defer_loading: true,
        };
        const toolset = {
          type: "mcp_toolset",
          mcp_server_name: "workspace",
          default_config: { defer_loading: true },
        };
        const [one, two, three] = ["1", "2", "3"].map((nth) => `${api.ids.upstream}${nth}`);
        assert.ok(one && two && three);
        const find = (word: string) => kind === "regex" ? { pattern: word } : { query: word };
        gateway.model.script(
          reply({ tools: [call(one, name, find("weather"))] }),
          reply({ tools: [call(two, name, find("Jupyter"))] }),
          reply({ tools: [call(three, "NotebookRead", { file_path: "hive.txt" })] }),
          reply({ text: ["That is no notebook."] }),
        );
        const { body } = await gateway.ask({
          model: api.model,
          tools: [{ type: `${name}_20251119`, name }, weather, toolset],
          stream: true,
        });
        assert.deepEqual(types(body), [
          ...["server_tool_use", "tool_search_tool_result", "server_tool_use", "tool_search_tool_result"],
          ...["mcp_tool_use", "mcp_tool_result", "text"],
        ]);
        const found = objects(dig(objects(body.content)[1], "content", "tool_references"));
        assert.deepEqual(found, [{ type: "tool_reference", tool_name: "get_weather" }]);
        const offered = gateway.model.requests.map(offeredNames);
        assert.deepEqual(offered[0], [name]);
        assert.deepEqual(offered[1], [name, "get_weather"]);
        assert.deepEqual(offered[2], [name, "get_weather", "NotebookRead"]);
        assert.match(resultsSent(gateway, 3)[2]?.text ?? "", /Cannot/);
      }));
  }
}
