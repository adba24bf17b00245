import assert from "node:assert/strict";
import { test } from "node:test";
import { createGateway } from "../../../lib/gateway.ts";
import { call, hold, refuse, say } from "../../clients/turns.ts";
import { count, dig, type Json, objects, text } from "../../kit/json.ts";
import { NATIVE, offeredNames, ROADS, toldResults, toText, TRANSLATED } from "./model.ts";
import { type Door, openDoor, readAll, withDoor, WORKSPACE } from "./stage.ts";

const READ_AND_WRITE = { TOOLS: "files-read,files-write" };
const { model } = TRANSLATED;
const OWN = { name: "weather", description: "Of a city.", input_schema: { type: "object", properties: {} } };

const ls = (id: string) => call(id, "LS", {});
const types = ({ content }: Json) => objects(content).map(({ type }) => type);
const resultsOf = ({ content }: Json) => objects(content).filter(({ type }) => type === "mcp_tool_result");
const offered = (door: Door, at = 0) => {
  const asked = door.model.asked[at];
  assert.ok(asked, `the model was not asked ${at + 1} times`);
  return offeredNames(asked);
};

const LISTS = "Task TodoRead TodoWrite";
const GROUPS: Record<string, string> = {
  "files-read": `Read Glob Grep LS Task NotebookRead TodoRead TodoWrite`,
  "files-write": "Write Edit MultiEdit Task NotebookEdit TodoRead TodoWrite",
  "shell": `Bash ${LISTS}`,
  "network": "Task WebSearch WebFetch TodoRead TodoWrite",
};

for (const [group, names] of Object.entries(GROUPS)) {
  test(`TOOLS=${group} offers its own tools and no other, and runs no other`, () =>
    withDoor({ TOOLS: group }, async (door) => {
      const foreign = group === "files-write" ? "LS" : "Write";
      const forged = call("call_1", foreign, { file_path: "x", content: "y" });
      door.model.script(say({ tools: [forged] }));
      const { body } = await door.ask({ model, tools: [WORKSPACE] });
      assert.deepEqual(offered(door), names.split(" "));
      // A name that nobody has is the client's to make sense of.
      assert.deepEqual(types(body), ["tool_use"]);
      assert.equal(body.stop_reason, "tool_use");
      assert.throws(() => door.read("x"), /ENOENT/);
      assert.equal(dig(await door.get("/tool-metrics"), "tool_execution", "metrics", "total_executions"), 0);
    }));
}

test("a toolset's configuration chooses among the tools", () =>
  withDoor(READ_AND_WRITE, async (door) => {
    door.model.script(say({ text: ["Yes."] }), say({ text: ["Yes."] }));
    const few = { default_config: { enabled: false }, configs: { Read: { enabled: true }, Nobody: {} } };
    await door.ask({ model, tools: [{ ...WORKSPACE, ...few }] });
    assert.deepEqual(offered(door), ["Read"]);
    const but = { configs: { Write: { enabled: false }, Edit: { enabled: false } } };
    await door.ask({ model, tools: [{ ...WORKSPACE, ...but }] });
    assert.deepEqual(
      offered(door, 1),
      "Read MultiEdit Glob Grep LS Task NotebookRead NotebookEdit TodoRead TodoWrite".split(" "),
    );
  }));

test("x-gateway-tools brings tools to a client whose body cannot be changed", () =>
  withDoor(READ_AND_WRITE, async (door) => {
    door.put({ "hive.txt": "queen\n" });
    door.model.script(
      say({ tools: [call("call_1", "Read", { path: "hive.txt" })] }),
      say({ text: ["Yes."] }),
    );
    const headers = { "x-gateway-tools": "Read, Grep" };
    const { body } = await door.ask({ model, tools: [OWN] }, { headers });
    assert.deepEqual(offered(door), ["weather", "Read", "Grep"]);
    assert.deepEqual(types(body), ["mcp_tool_use", "mcp_tool_result", "text"]);
    assert.match(toText(resultsOf(body)[0]?.content), /queen/);
    door.model.script(say({ text: ["Yes."] }));
    await door.ask({ model }, { headers: { "x-gateway-tools": "*" } });
    assert.equal(offered(door, 2).length, 12);
  }));

/** What asks for the gateway's tools where it cannot have them. */
const REFUSED: {
  asks: string;
  body?: Json;
  headers?: Record<string, string>;
  tools?: string;
  says: RegExp;
}[] = [
  {
    asks: "an unknown name in the header",
    headers: { "x-gateway-tools": "Read,Rread" },
    tools: "files-read",
    says: /^header\.x-gateway-tools: Cannot run tool "Rread": this gateway has Read, Glob/,
  },
  {
    asks: "a tool of a group that is off in the header",
    headers: { "x-gateway-tools": "Write" },
    tools: "files-read",
    says: /^header\.x-gateway-tools: Cannot run tool "Write"/,
  },
  {
    asks: "an unknown mode",
    headers: { "x-gateway-tools-mode": "hijack" },
    tools: "files-read",
    says: /^x-gateway-tools-mode: Cannot use mode "hijack"/,
  },
  {
    asks: "a toolset of a gateway without tools",
    body: { tools: [WORKSPACE] },
    says: /^tools\.0: Cannot run tools/,
  },
  {
    asks: "tools by the header of a gateway without tools",
    headers: { "x-gateway-tools": "*" },
    says: /^header\.x-gateway-tools: Cannot run tools/,
  },
  {
    asks: "a search with both lists of domains",
    body: {
      tools: [{
        type: "web_search_20250305",
        name: "web_search",
        allowed_domains: ["a.example"],
        blocked_domains: ["b.example"],
      }],
    },
    tools: "network",
    says: /allowed_domains and blocked_domains/,
  },
  {
    asks: "a search of a domain that is none",
    body: {
      tools: [{ type: "web_search_20250305", name: "web_search", allowed_domains: ["https://a.example"] }],
    },
    tools: "network",
    says: /Cannot use domain "https:\/\/a\.example"/,
  },
];

for (const { asks, body = {}, headers = {}, tools, says } of REFUSED) {
  for (const stream of [false, true]) {
    test(`${asks} is a 400 before anybody is asked, ${stream ? "streamed" : "whole"}`, () =>
      withDoor(tools === undefined ? {} : { TOOLS: tools }, async (door) => {
        const answer = await door.ask({ model, stream, ...body }, { headers });
        assert.equal(answer.status, 400);
        assert.equal(dig(answer.body, "error", "type"), "invalid_request_error");
        assert.match(text(dig(answer.body, "error", "message")), says);
        assert.deepEqual(door.model.asked, []);
      }));
  }
}

test("the client's own tool goes before the gateway's of that name, unless it asks for more", () =>
  withDoor(READ_AND_WRITE, async (door) => {
    const own = { ...OWN, name: "LS" };
    door.model.script(say({ tools: [ls("call_1")] }));
    const { body } = await door.ask({ model, tools: [own, WORKSPACE] });
    assert.deepEqual(types(body), ["tool_use"]);
    assert.equal(offered(door).filter((name) => name === "LS").length, 1);
    assert.equal(dig(await door.get("/tool-metrics"), "tool_execution", "metrics", "total_executions"), 0);

    door.model.script(say({ tools: [ls("call_2")] }), say({ text: ["Empty."] }));
    const headers = { "x-gateway-tools-mode": "intercept" };
    const intercepted = await door.ask({ model, tools: [own, OWN] }, { headers });
    assert.deepEqual(types(intercepted.body), ["mcp_tool_use", "mcp_tool_result", "text"]);
    assert.deepEqual(offered(door, 1), ["LS", "weather"]);
    const description = dig(door.model.asked[1]?.body, "tools", 0, "function", "description");
    assert.equal(description, own.description);
  }));

for (const road of ROADS) {
  const [one, two, three] = ["1", "2", "3"].map((nth) => `${road.ids.upstream}${nth}`);
  assert.ok(one && two && three);

  test(`a turn that calls the client's tools too waits for those, ${road.name}`, () =>
    withDoor(READ_AND_WRITE, async (door) => {
      door.put({ "hive.txt": "queen\n" });
      const tools = [OWN, WORKSPACE];
      const write = { file_path: "seen.txt", content: "once" };
      door.model.script(say({ tools: [call(one, "Write", write), call(two, "weather", {})] }));
      const first = await door.ask({ model: road.model, tools, stream: true });
      assert.equal(first.body.stop_reason, "tool_use");
      assert.deepEqual(types(first.body), ["mcp_tool_use", "tool_use"]);
      assert.throws(() => door.read("seen.txt"), /ENOENT/);

      const result = { type: "tool_result", tool_use_id: dig(first.body.content, 1, "id"), content: "rain" };
      const messages = [
        { role: "user", content: "Go" },
        { role: "assistant", content: first.body.content },
        { role: "user", content: [result] },
      ];
      door.model.script(say({ text: ["It rains."] }));
      const second = await door.ask({ model: road.model, tools, messages, stream: true });
      assert.deepEqual(types(second.body), ["mcp_tool_result", "text"]);
      assert.equal(resultsOf(second.body)[0]?.tool_use_id, `${road.ids.mcp}1`);
      assert.equal(door.read("seen.txt"), "once");
      assert.deepEqual(door.model.asked[1] && toldResults(door.model.asked[1]), [
        { id: one, text: "Created seen.txt (1 line, 4 bytes)" },
        { id: two, text: "rain" },
      ]);

      // Nothing runs a second time when the conversation goes on.
      door.model.script(say({ text: ["Gladly."] }));
      const later = [...messages, { role: "assistant", content: second.body.content }, {
        role: "user",
        content: "Thanks",
      }];
      await door.ask({ model: road.model, tools, messages: later });
      assert.deepEqual(door.model.asked[2] && toldResults(door.model.asked[2]).map(({ id }) => id), [
        one,
        two,
      ]);
      assert.equal(dig(await door.get("/tool-metrics"), "tool_execution", "metrics", "total_executions"), 1);
    }));

  test(`a message pauses after TOOL_TURNS and goes on when it is sent back, ${road.name}`, () =>
    withDoor({ ...READ_AND_WRITE, TOOL_TURNS: "2" }, async (door) => {
      const tools = [WORKSPACE];
      const write = { file_path: "seen.txt", content: "once" };
      door.model.script(
        say({ text: ["First."], tools: [ls(one)] }),
        say({ text: ["Then."], tools: [call(two, "Write", write)] }),
      );
      const first = await door.ask({ model: road.model, tools });
      assert.equal(first.body.stop_reason, "pause_turn");
      assert.deepEqual(types(first.body), [
        "text",
        "mcp_tool_use",
        "mcp_tool_result",
        "text",
        "mcp_tool_use",
      ]);
      assert.throws(() => door.read("seen.txt"), /ENOENT/);

      door.model.script(say({ text: ["Done."] }));
      const messages = [{ role: "user", content: "Go" }, { role: "assistant", content: first.body.content }];
      const second = await door.ask({ model: road.model, tools, messages, stream: true });
      assert.equal(second.body.stop_reason, "end_turn");
      assert.deepEqual(types(second.body), ["mcp_tool_result", "text"]);
      assert.equal(door.read("seen.txt"), "once");
      assert.deepEqual(door.model.asked[2] && toldResults(door.model.asked[2]).map(({ id }) => id), [
        one,
        two,
      ]);
    }));

  test(`a second message tells the model the first as it was, ${road.name}`, () =>
    withDoor(READ_AND_WRITE, async (door) => {
      const tools = [WORKSPACE];
      door.put({ "hive.txt": "queen\n" });
      door.model.script(
        say({ text: ["I look."], tools: [ls(one), call(two, "Read", { file_path: "hive.txt" })] }),
        say({ text: ["A queen."] }),
      );
      const first = await door.ask({ model: road.model, tools });
      door.model.script(say({ tools: [call(three, "Edit", EDIT)] }), say({ text: ["Long live."] }));
      const messages = [
        { role: "user", content: "Go" },
        { role: "assistant", content: first.body.content },
        { role: "user", content: "Change it" },
      ];
      const second = await door.ask({ model: road.model, tools, messages });
      assert.deepEqual(types(second.body), ["mcp_tool_use", "mcp_tool_result", "text"]);
      // What was read in the first message may be changed in the second.
      assert.equal(resultsOf(second.body)[0]?.is_error, false, toText(resultsOf(second.body)[0]?.content));
      assert.equal(door.read("hive.txt"), "king\n");
      const before = objects(door.model.asked[1]?.body.messages);
      assert.deepEqual(objects(door.model.asked[2]?.body.messages).slice(0, before.length), before);
    }));

  test(`once a tool has run a failure asks for no repeat, ${road.name}`, () =>
    withDoor(READ_AND_WRITE, async (door) => {
      const failure = refuse(503, "overloaded_error", "Overloaded");
      door.model.script(
        say({ tools: [call(one, "Write", { file_path: "seen.txt", content: "once" })] }),
        failure,
      );
      const whole = await door.ask({ model: road.model, tools: [WORKSPACE] });
      assert.ok(whole.status >= 500);
      assert.equal(whole.headers.get("x-should-retry"), "false");
      assert.equal(door.model.asked.length, 2);
      assert.equal(door.read("seen.txt"), "once");

      door.model.script(say({ tools: [ls(one)] }), failure);
      const streamed = await door.ask({ model: road.model, tools: [WORKSPACE], stream: true });
      assert.equal(streamed.events.at(-1)?.event, "error");
      assert.equal(door.model.asked.length, 4);
    }));

  test(`a client that leaves between the turns stops the tool and the upstream, ${road.name}`, () =>
    withDoor(READ_AND_WRITE, async (door) => {
      door.model.script(say({ text: ["I look."], tools: [ls(one)] }), hold());
      const second = door.model.next().then(() => door.model.next());
      const response = await door.send({ model: road.model, tools: [WORKSPACE], stream: true });
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

test("a client that leaves while a task is at work stops the task's upstream", () =>
  withDoor(READ_AND_WRITE, async (door) => {
    door.model.script(say({ tools: [call("call_1", "Task", { prompt: "Think long" })] }), hold());
    const abort = new AbortController();
    const asked = door.model.next().then(() => door.model.next());
    const answer = door.ask({ model, tools: [WORKSPACE] }, { signal: abort.signal });
    const { signal } = await asked;
    abort.abort();
    const { status } = await answer;
    assert.equal(status, 499);
    assert.equal(signal?.aborted, true);
    const { tool_execution } = await door.get("/tool-metrics");
    assert.deepEqual(dig(tool_execution, "metrics", "error_breakdown"), { cancelled: 1 });
  }));

test("all turns and what tools asked of models are charged to who asks", () =>
  withDoor({ ...READ_AND_WRITE, LIMITS: '{"each": {"usd_day": 0.0003}}' }, async (door) => {
    // Each turn costs 0.0000893; with that of the task there are four.
    door.model.script(
      say({ tools: [ls("call_1")] }),
      say({ tools: [call("call_2", "Task", { prompt: "Say something" })] }),
      say({ text: ["Something."] }),
      say({ text: ["It said something."] }),
    );
    assert.equal((await door.ask({ model, tools: [WORKSPACE] })).status, 200);
    const refused = await door.ask({ model });
    assert.equal(refused.status, 402);
    assert.equal(dig(refused.body, "error", "type"), "billing_error");
  }));

test("three turns cost no more than three turns", () =>
  withDoor({ ...READ_AND_WRITE, LIMITS: '{"each": {"usd_day": 0.0003}}' }, async (door) => {
    door.model.script(
      say({ tools: [ls("call_1")] }),
      say({ tools: [ls("call_2")] }),
      say({ text: ["Yes."] }),
    );
    assert.equal((await door.ask({ model, tools: [WORKSPACE] })).status, 200);
    door.model.script(say({ text: ["Yes."] }));
    assert.equal((await door.ask({ model })).status, 200);
  }));

test("TOOL_RATE bounds a client's calls in a minute", () =>
  withDoor({ ...READ_AND_WRITE, TOOL_RATE: "2" }, async (door) => {
    const ask = async () => {
      door.model.script(say({ tools: [ls("call_1"), ls("call_2"), ls("call_3")] }), say({ text: ["Yes."] }));
      return resultsOf((await door.ask({ model, tools: [WORKSPACE] })).body);
    };
    const results = await ask();
    assert.deepEqual(results.map(({ is_error }) => is_error), [false, false, true]);
    assert.equal(toText(results[2]?.content), "Cannot run more than 2 tools a minute: try again in 60 s");
    door.clock.advance(60_000);
    assert.deepEqual((await ask()).map(({ is_error }) => is_error), [false, false, true]);
    assert.equal(dig(await door.get("/tool-metrics"), "tool_execution", "rate_limit_max_requests"), 2);
  }));

test("TOOL_CONCURRENCY bounds the calls at once", async () => {
  const most: number[] = [];
  for (const concurrency of ["1", "3"]) {
    await withDoor({ ...READ_AND_WRITE, TOOL_CONCURRENCY: concurrency }, async (door) => {
      const calls = Array.from({ length: 8 }, (_, nth) => ls(`call_${nth}`));
      door.model.script(say({ tools: calls }), say({ text: ["Yes."] }));
      const { body } = await door.ask({ model, tools: [WORKSPACE] });
      assert.equal(resultsOf(body).length, 8);
      const { tool_execution } = await door.get("/tool-metrics");
      most.push(count(dig(tool_execution, "metrics", "max_concurrent_executions")));
    });
  }
  assert.deepEqual(most, [1, 3]);
});

const SECURED = {
  TOOLS: "network",
  WORKSPACE_ROOT: "/srv/work",
  GATEWAY_API_KEYS: "a-key-of-24-characters-12",
};
const UNSECURED: { settings: Record<string, string | undefined>; says: RegExp }[] = [
  { settings: { WORKSPACE_ROOT: undefined }, says: /WORKSPACE_ROOT names no folder/ },
  { settings: { GATEWAY_API_KEYS: undefined }, says: /GATEWAY_API_KEYS has no key/ },
  {
    settings: { TOOLS: "files-read,all" },
    says: /expected words of files-read, files-write, shell, network/,
  },
  { settings: { WEB_SEARCH: "searxng" }, says: /WEB_SEARCH_URL does not say/ },
];

test("a gateway whose tools nobody has secured does not begin", () => {
  createGateway({ settings: SECURED });
  for (const { settings, says } of UNSECURED) {
    const given = Object.entries({ ...SECURED, ...settings }).filter(([, value]) => value !== undefined);
    assert.throws(() => createGateway({ settings: Object.fromEntries(given) }), (error) => {
      assert.ok(error instanceof Error);
      assert.equal(error.name, "ConfigError");
      assert.match(error.message, says);
      return true;
    });
  }
});

test("a gateway whose workspace cannot be used is not ready", () =>
  withDoor(READ_AND_WRITE, async (door) => {
    await door.gateway.ready();
    door.put({ "file": "x" });
    const missing = openDoor({ ...READ_AND_WRITE, WORKSPACE_ROOT: `${door.root}/missing` });
    const file = openDoor({ ...READ_AND_WRITE, WORKSPACE_ROOT: `${door.root}/file` });
    try {
      await assert.rejects(missing.gateway.ready(), /Cannot use WORKSPACE_ROOT .*there is no such folder/);
      await assert.rejects(file.gateway.ready(), /Cannot use WORKSPACE_ROOT .*it is not a folder/);
    } finally {
      missing.remove();
      file.remove();
    }
  }));

test("a native model is asked for its tools in its own language", () =>
  withDoor(READ_AND_WRITE, async (door) => {
    door.model.script(say({ text: ["Yes."] }));
    await door.ask({ model: NATIVE.model, tools: [WORKSPACE, OWN] });
    const [asked] = door.model.asked;
    assert.equal(asked?.path, "/messages");
    for (const tool of objects(asked?.body.tools)) {
      assert.equal(dig(tool, "input_schema", "type"), "object", text(tool.name));
    }
    assert.doesNotMatch(JSON.stringify(asked?.body), /mcp_toolset/);
  }));
