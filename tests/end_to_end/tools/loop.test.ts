import assert from "node:assert/strict";
import { test } from "node:test";
import { createGateway } from "../../../lib/gateway.ts";
import { call, hold, refuse, reply } from "../../kit/model/turns.ts";
import { MODEL_APIS, NATIVE, offeredNames, resultsSentIn, toText, TRANSLATED } from "./model.ts";
import { createToolGateway, readAll, type ToolGateway, withToolGateway, WORKSPACE } from "./tool_gateway.ts";
import { count, dig, type Json, objects, text } from "../../kit/json.ts";

const READ_AND_WRITE = { TOOLS: "files-read,files-write" };
const { model } = TRANSLATED;
const OWN = { name: "weather", description: "Of a city.", input_schema: { type: "object", properties: {} } };

const ls = (id: string) => call(id, "LS", {});
const types = ({ content }: Json) => objects(content).map(({ type }) => type);
const resultsOf = ({ content }: Json) => objects(content).filter(({ type }) => type === "mcp_tool_result");
const offered = (gateway: ToolGateway, at = 0) => {
  const request = gateway.model.requests[at];
  assert.ok(request, `the model received fewer than ${at + 1} requests`);
  return offeredNames(request);
};

const LISTS = "Task TodoRead TodoWrite";
const GROUPS: Record<string, string> = {
  "files-read": `Read Glob Grep LS Task NotebookRead TodoRead TodoWrite`,
  "files-write": "Write Edit MultiEdit Task NotebookEdit TodoRead TodoWrite",
  "shell": `Bash ${LISTS}`,
  "network": "Task WebSearch WebFetch TodoRead TodoWrite",
};

for (const [group, names] of Object.entries(GROUPS)) {
  test(`TOOLS=${group} offers and runs the tools of its group only`, () =>
    withToolGateway({ TOOLS: group }, async (gateway) => {
      const foreign = group === "files-write" ? "LS" : "Write";
      const forged = call("call_1", foreign, { file_path: "x", content: "y" });
      gateway.model.script(reply({ tools: [forged] }));
      const { body } = await gateway.ask({ model, tools: [WORKSPACE] });
      assert.deepEqual(offered(gateway), names.split(" "));
      // A call of an unknown tool is passed to the client.
      assert.deepEqual(types(body), ["tool_use"]);
      assert.equal(body.stop_reason, "tool_use");
      assert.throws(() => gateway.read("x"), /ENOENT/);
      assert.equal(
        dig(await gateway.get("/tool-metrics"), "tool_execution", "metrics", "total_executions"),
        0,
      );
    }));
}

test("mcp_toolset selects tools by its configuration", () =>
  withToolGateway(READ_AND_WRITE, async (gateway) => {
    gateway.model.script(reply({ text: ["Yes."] }), reply({ text: ["Yes."] }));
    const few = { default_config: { enabled: false }, configs: { Read: { enabled: true }, Nobody: {} } };
    await gateway.ask({ model, tools: [{ ...WORKSPACE, ...few }] });
    assert.deepEqual(offered(gateway), ["Read"]);
    const but = { configs: { Write: { enabled: false }, Edit: { enabled: false } } };
    await gateway.ask({ model, tools: [{ ...WORKSPACE, ...but }] });
    assert.deepEqual(
      offered(gateway, 1),
      "Read MultiEdit Glob Grep LS Task NotebookRead NotebookEdit TodoRead TodoWrite".split(" "),
    );
  }));

test("x-gateway-tools adds tools to a request without a toolset", () =>
  withToolGateway(READ_AND_WRITE, async (gateway) => {
    gateway.put({ "hive.txt": "queen\n" });
    gateway.model.script(
      reply({ tools: [call("call_1", "Read", { path: "hive.txt" })] }),
      reply({ text: ["Yes."] }),
    );
    const headers = { "x-gateway-tools": "Read, Grep" };
    const { body } = await gateway.ask({ model, tools: [OWN] }, { headers });
    assert.deepEqual(offered(gateway), ["weather", "Read", "Grep"]);
    assert.deepEqual(types(body), ["mcp_tool_use", "mcp_tool_result", "text"]);
    assert.match(toText(resultsOf(body)[0]?.content), /queen/);
    gateway.model.script(reply({ text: ["Yes."] }));
    await gateway.ask({ model }, { headers: { "x-gateway-tools": "*" } });
    assert.equal(offered(gateway, 2).length, 12);
  }));

/** Requests for the gateway's tools that are rejected. */
const REFUSED: {
  what: string;
  body?: Json;
  headers?: Record<string, string>;
  tools?: string;
  matches: RegExp;
}[] = [
  {
    what: "an unknown name in the header",
    headers: { "x-gateway-tools": "Read,Rread" },
    tools: "files-read",
    matches: /^header\.x-gateway-tools: Cannot run tool "Rread": the gateway's tools are Read, Glob/,
  },
  {
    what: "a tool of a group that is off in the header",
    headers: { "x-gateway-tools": "Write" },
    tools: "files-read",
    matches: /^header\.x-gateway-tools: Cannot run tool "Write"/,
  },
  {
    what: "an unknown mode",
    headers: { "x-gateway-tools-mode": "hijack" },
    tools: "files-read",
    matches: /^x-gateway-tools-mode: Cannot use mode "hijack"/,
  },
  {
    what: "a toolset of a gateway without tools",
    body: { tools: [WORKSPACE] },
    matches: /^tools\.0: Cannot run tools/,
  },
  {
    what: "tools by the header of a gateway without tools",
    headers: { "x-gateway-tools": "*" },
    matches: /^header\.x-gateway-tools: Cannot run tools/,
  },
  {
    what: "a search with both lists of domains",
    body: {
      tools: [{
        type: "web_search_20250305",
        name: "web_search",
        allowed_domains: ["a.example"],
        blocked_domains: ["b.example"],
      }],
    },
    tools: "network",
    matches: /allowed_domains and blocked_domains/,
  },
  {
    what: "a search of a domain that is none",
    body: {
      tools: [{ type: "web_search_20250305", name: "web_search", allowed_domains: ["https://a.example"] }],
    },
    tools: "network",
    matches: /Cannot use domain "https:\/\/a\.example"/,
  },
];

for (const { what, body = {}, headers = {}, tools, matches } of REFUSED) {
  for (const stream of [false, true]) {
    test(`POST /v1/messages rejects ${what} before it calls the upstream, ${stream ? "streamed" : "whole"}`, () =>
      withToolGateway(tools === undefined ? {} : { TOOLS: tools }, async (gateway) => {
        const answer = await gateway.ask({ model, stream, ...body }, { headers });
        assert.equal(answer.status, 400);
        assert.equal(dig(answer.body, "error", "type"), "invalid_request_error");
        assert.match(text(dig(answer.body, "error", "message")), matches);
        assert.deepEqual(gateway.model.requests, []);
      }));
  }
}

test("POST /v1/messages prefers the client's tool to the gateway's of the same name, unless the client opts in", () =>
  withToolGateway(READ_AND_WRITE, async (gateway) => {
    const own = { ...OWN, name: "LS" };
    gateway.model.script(reply({ tools: [ls("call_1")] }));
    const { body } = await gateway.ask({ model, tools: [own, WORKSPACE] });
    assert.deepEqual(types(body), ["tool_use"]);
    assert.equal(offered(gateway).filter((name) => name === "LS").length, 1);
    assert.equal(dig(await gateway.get("/tool-metrics"), "tool_execution", "metrics", "total_executions"), 0);

    gateway.model.script(reply({ tools: [ls("call_2")] }), reply({ text: ["Empty."] }));
    const headers = { "x-gateway-tools-mode": "intercept" };
    const intercepted = await gateway.ask({ model, tools: [own, OWN] }, { headers });
    assert.deepEqual(types(intercepted.body), ["mcp_tool_use", "mcp_tool_result", "text"]);
    assert.deepEqual(offered(gateway, 1), ["LS", "weather"]);
    const description = dig(gateway.model.requests[1]?.body, "tools", 0, "function", "description");
    assert.equal(description, own.description);
  }));

for (const api of MODEL_APIS) {
  const [one, two, three] = ["1", "2", "3"].map((nth) => `${api.ids.upstream}${nth}`);
  assert.ok(one && two && three);

  test(`POST /v1/messages waits for the client's tools if a turn calls those too, ${api.name}`, () =>
    withToolGateway(READ_AND_WRITE, async (gateway) => {
      gateway.put({ "hive.txt": "queen\n" });
      const tools = [OWN, WORKSPACE];
      const write = { file_path: "seen.txt", content: "once" };
      gateway.model.script(reply({ tools: [call(one, "Write", write), call(two, "weather", {})] }));
      const first = await gateway.ask({ model: api.model, tools, stream: true });
      assert.equal(first.body.stop_reason, "tool_use");
      assert.deepEqual(types(first.body), ["mcp_tool_use", "tool_use"]);
      assert.throws(() => gateway.read("seen.txt"), /ENOENT/);

      const result = { type: "tool_result", tool_use_id: dig(first.body.content, 1, "id"), content: "rain" };
      const messages = [
        { role: "user", content: "Go" },
        { role: "assistant", content: first.body.content },
        { role: "user", content: [result] },
      ];
      gateway.model.script(reply({ text: ["It rains."] }));
      const second = await gateway.ask({ model: api.model, tools, messages, stream: true });
      assert.deepEqual(types(second.body), ["mcp_tool_result", "text"]);
      assert.equal(resultsOf(second.body)[0]?.tool_use_id, `${api.ids.mcp}1`);
      assert.equal(gateway.read("seen.txt"), "once");
      assert.deepEqual(gateway.model.requests[1] && resultsSentIn(gateway.model.requests[1]), [
        { id: one, text: "Created seen.txt (1 line, 4 bytes)" },
        { id: two, text: "rain" },
      ]);

      // No tool runs a second time when the conversation continues.
      gateway.model.script(reply({ text: ["Gladly."] }));
      const later = [...messages, { role: "assistant", content: second.body.content }, {
        role: "user",
        content: "Thanks",
      }];
      await gateway.ask({ model: api.model, tools, messages: later });
      assert.deepEqual(
        gateway.model.requests[2] && resultsSentIn(gateway.model.requests[2]).map(({ id }) => id),
        [
          one,
          two,
        ],
      );
      assert.equal(
        dig(await gateway.get("/tool-metrics"), "tool_execution", "metrics", "total_executions"),
        1,
      );
    }));

  test(`TOOL_TURNS pauses a message, which continues when the client sends it back, ${api.name}`, () =>
    withToolGateway({ ...READ_AND_WRITE, TOOL_TURNS: "2" }, async (gateway) => {
      const tools = [WORKSPACE];
      const write = { file_path: "seen.txt", content: "once" };
      gateway.model.script(
        reply({ text: ["First."], tools: [ls(one)] }),
        reply({ text: ["Then."], tools: [call(two, "Write", write)] }),
      );
      const first = await gateway.ask({ model: api.model, tools });
      assert.equal(first.body.stop_reason, "pause_turn");
      assert.deepEqual(types(first.body), [
        "text",
        "mcp_tool_use",
        "mcp_tool_result",
        "text",
        "mcp_tool_use",
      ]);
      assert.throws(() => gateway.read("seen.txt"), /ENOENT/);

      gateway.model.script(reply({ text: ["Done."] }));
      const messages = [{ role: "user", content: "Go" }, { role: "assistant", content: first.body.content }];
      const second = await gateway.ask({ model: api.model, tools, messages, stream: true });
      assert.equal(second.body.stop_reason, "end_turn");
      assert.deepEqual(types(second.body), ["mcp_tool_result", "text"]);
      assert.equal(gateway.read("seen.txt"), "once");
      assert.deepEqual(
        gateway.model.requests[2] && resultsSentIn(gateway.model.requests[2]).map(({ id }) => id),
        [
          one,
          two,
        ],
      );
    }));

  test(`POST /v1/messages sends the model an earlier message in its original form, ${api.name}`, () =>
    withToolGateway(READ_AND_WRITE, async (gateway) => {
      const tools = [WORKSPACE];
      gateway.put({ "hive.txt": "queen\n" });
      gateway.model.script(
        reply({ text: ["I look."], tools: [ls(one), call(two, "Read", { file_path: "hive.txt" })] }),
        reply({ text: ["A queen."] }),
      );
      const first = await gateway.ask({ model: api.model, tools });
      gateway.model.script(reply({ tools: [call(three, "Edit", EDIT)] }), reply({ text: ["Long live."] }));
      const messages = [
        { role: "user", content: "Go" },
        { role: "assistant", content: first.body.content },
        { role: "user", content: "Change it" },
      ];
      const second = await gateway.ask({ model: api.model, tools, messages });
      assert.deepEqual(types(second.body), ["mcp_tool_use", "mcp_tool_result", "text"]);
      // A file that was read in the first message may be changed in the second.
      assert.equal(resultsOf(second.body)[0]?.is_error, false, toText(resultsOf(second.body)[0]?.content));
      assert.equal(gateway.read("hive.txt"), "king\n");
      const before = objects(gateway.model.requests[1]?.body.messages);
      assert.deepEqual(objects(gateway.model.requests[2]?.body.messages).slice(0, before.length), before);
    }));

  test(`POST /v1/messages forbids a retry after a tool has run, ${api.name}`, () =>
    withToolGateway(READ_AND_WRITE, async (gateway) => {
      const failure = refuse(503, "overloaded_error", "Overloaded");
      gateway.model.script(
        reply({ tools: [call(one, "Write", { file_path: "seen.txt", content: "once" })] }),
        failure,
      );
      const whole = await gateway.ask({ model: api.model, tools: [WORKSPACE] });
      assert.ok(whole.status >= 500);
      assert.equal(whole.headers.get("x-should-retry"), "false");
      assert.equal(gateway.model.requests.length, 2);
      assert.equal(gateway.read("seen.txt"), "once");

      gateway.model.script(reply({ tools: [ls(one)] }), failure);
      const streamed = await gateway.ask({ model: api.model, tools: [WORKSPACE], stream: true });
      assert.equal(streamed.events.at(-1)?.type, "error");
      assert.equal(gateway.model.requests.length, 4);
    }));

  test(`POST /v1/messages stops the tool and the upstream when the client disconnects between turns, ${api.name}`, () =>
    withToolGateway(READ_AND_WRITE, async (gateway) => {
      gateway.model.script(reply({ text: ["I look."], tools: [ls(one)] }), hold());
      const second = gateway.model.next().then(() => gateway.model.next());
      const response = await gateway.send({ model: api.model, tools: [WORKSPACE], stream: true });
      const reader = response.body?.getReader();
      assert.ok(reader);
      const reading = readAll(reader);
      const { signal } = await second;
      assert.equal(signal?.aborted, false);
      await reader.cancel();
      await reading;
      assert.equal(signal?.aborted, true);
    }));
}

const EDIT = { file_path: "hive.txt", old_string: "queen", new_string: "king" };

test("Task stops its upstream when the client disconnects", () =>
  withToolGateway(READ_AND_WRITE, async (gateway) => {
    gateway.model.script(reply({ tools: [call("call_1", "Task", { prompt: "Think long" })] }), hold());
    const abort = new AbortController();
    const request = gateway.model.next().then(() => gateway.model.next());
    const answer = gateway.ask({ model, tools: [WORKSPACE] }, { signal: abort.signal });
    const { signal } = await request;
    abort.abort();
    const { status } = await answer;
    assert.equal(status, 499);
    assert.equal(signal?.aborted, true);
    const { tool_execution } = await gateway.get("/tool-metrics");
    assert.deepEqual(dig(tool_execution, "metrics", "error_breakdown"), { cancelled: 1 });
  }));

test("LIMITS charges all turns and the models that tools use to the client", () =>
  withToolGateway({ ...READ_AND_WRITE, LIMITS: '{"each": {"usd_day": 0.0003}}' }, async (gateway) => {
    // Each turn costs 0.0000893 USD; with that of the task there are four.
    gateway.model.script(
      reply({ tools: [ls("call_1")] }),
      reply({ tools: [call("call_2", "Task", { prompt: "Say something" })] }),
      reply({ text: ["Something."] }),
      reply({ text: ["It said something."] }),
    );
    assert.equal((await gateway.ask({ model, tools: [WORKSPACE] })).status, 200);
    const refused = await gateway.ask({ model });
    assert.equal(refused.status, 402);
    assert.equal(dig(refused.body, "error", "type"), "billing_error");
  }));

test("LIMITS charges three turns as three turns", () =>
  withToolGateway({ ...READ_AND_WRITE, LIMITS: '{"each": {"usd_day": 0.0003}}' }, async (gateway) => {
    gateway.model.script(
      reply({ tools: [ls("call_1")] }),
      reply({ tools: [ls("call_2")] }),
      reply({ text: ["Yes."] }),
    );
    assert.equal((await gateway.ask({ model, tools: [WORKSPACE] })).status, 200);
    gateway.model.script(reply({ text: ["Yes."] }));
    assert.equal((await gateway.ask({ model })).status, 200);
  }));

test("TOOL_RATE limits the calls of a client per minute", () =>
  withToolGateway({ ...READ_AND_WRITE, TOOL_RATE: "2" }, async (gateway) => {
    const ask = async () => {
      gateway.model.script(
        reply({ tools: [ls("call_1"), ls("call_2"), ls("call_3")] }),
        reply({ text: ["Yes."] }),
      );
      return resultsOf((await gateway.ask({ model, tools: [WORKSPACE] })).body);
    };
    const results = await ask();
    assert.deepEqual(results.map(({ is_error }) => is_error), [false, false, true]);
    assert.equal(toText(results[2]?.content), "Cannot run more than 2 tools a minute: try again in 60 s");
    gateway.clock.advance(60_000);
    assert.deepEqual((await ask()).map(({ is_error }) => is_error), [false, false, true]);
    assert.equal(dig(await gateway.get("/tool-metrics"), "tool_execution", "rate_limit_max_requests"), 2);
  }));

// tests/tools/toolbox/ checks that this number runs at once; for these short calls it depends on the machine.
test("TOOL_CONCURRENCY limits the concurrent calls", async () => {
  const most: number[] = [];
  for (const concurrency of ["1", "3"]) {
    await withToolGateway({ ...READ_AND_WRITE, TOOL_CONCURRENCY: concurrency }, async (gateway) => {
      const calls = Array.from({ length: 8 }, (_, nth) => ls(`call_${nth}`));
      gateway.model.script(reply({ tools: calls }), reply({ text: ["Yes."] }));
      const { body } = await gateway.ask({ model, tools: [WORKSPACE] });
      assert.equal(resultsOf(body).length, 8);
      const { tool_execution } = await gateway.get("/tool-metrics");
      most.push(count(dig(tool_execution, "metrics", "max_concurrent_executions")));
    });
  }
  const [one, three = 0] = most;
  assert.equal(one, 1);
  assert.ok(three > 1 && three <= 3, String(three));
});

const SECURED = {
  TOOLS: "network",
  WORKSPACE_ROOT: "/srv/work",
  GATEWAY_API_KEYS: "a-key-of-24-characters-12",
};
const UNSECURED: { settings: Record<string, string | undefined>; matches: RegExp }[] = [
  { settings: { WORKSPACE_ROOT: undefined }, matches: /WORKSPACE_ROOT is not set/ },
  { settings: { GATEWAY_API_KEYS: undefined }, matches: /GATEWAY_API_KEYS is not set/ },
  {
    settings: { TOOLS: "files-read,all" },
    matches: /expected files-read, files-write, shell or network/,
  },
  { settings: { WEB_SEARCH: "searxng" }, matches: /WEB_SEARCH_URL is not set/ },
];

test("createGateway() rejects tools without access control", () => {
  createGateway({ settings: SECURED });
  for (const { settings, matches } of UNSECURED) {
    const given = Object.entries({ ...SECURED, ...settings }).filter(([, value]) => value !== undefined);
    assert.throws(() => createGateway({ settings: Object.fromEntries(given) }), (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.name, "ConfigError");
      assert.match(error.message, matches);
      return true;
    });
  }
});

test("ready() rejects a workspace that cannot be used", () =>
  withToolGateway(READ_AND_WRITE, async (gateway) => {
    await gateway.ready();
    gateway.put({ "file": "x" });
    const missing = createToolGateway({ ...READ_AND_WRITE, WORKSPACE_ROOT: `${gateway.root}/missing` });
    const file = createToolGateway({ ...READ_AND_WRITE, WORKSPACE_ROOT: `${gateway.root}/file` });
    try {
      await assert.rejects(missing.ready(), /Cannot use WORKSPACE_ROOT .*there is no such folder/);
      await assert.rejects(file.ready(), /Cannot use WORKSPACE_ROOT .*it is not a folder/);
    } finally {
      missing.remove();
      file.remove();
    }
  }));

test("POST /v1/messages declares tools in the form of the native API", () =>
  withToolGateway(READ_AND_WRITE, async (gateway) => {
    gateway.model.script(reply({ text: ["Yes."] }));
    await gateway.ask({ model: NATIVE.model, tools: [WORKSPACE, OWN] });
    const [request] = gateway.model.requests;
    assert.equal(request?.path, "/messages");
    for (const tool of objects(request?.body.tools)) {
      assert.equal(dig(tool, "input_schema", "type"), "object", text(tool.name));
    }
    assert.doesNotMatch(JSON.stringify(request?.body), /mcp_toolset/);
  }));
