import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { defineTool, type Host } from "../../../tools/tool.ts";
import type { Toolbox } from "../../../tools/toolbox/toolbox.ts";
import { until } from "../../kit/until.ts";
import { createTestContext, createTestToolbox, echo, fail } from "../../server_tools/scripted_model.ts";

/** Creates a tool whose calls the test finishes. */
function createWaiting(nested = false) {
  const running: { host: Host; finish(text: string): void }[] = [];
  const tool = defineTool({
    name: "Wait",
    description: "Waits.",
    nested,
    input: v.object({}),
    run: (_input, host) => new Promise<string>((finish) => running.push({ host, finish })),
  });
  return { tool, running };
}

const call = (name: string, input: unknown = {}) => ({ id: "mcptoolu_1", name, input });

async function textOf(result: ReturnType<Toolbox["run"]>): Promise<[boolean, string]> {
  const { isError, content } = await result;
  const [piece] = content;
  assert.ok(piece?.type === "text");
  return [isError, piece.text];
}

test("createToolbox() runs a call and returns a failure as a result", async () => {
  const { toolbox, audit } = createTestToolbox([echo, fail]);
  const toolContext = createTestContext();
  assert.deepEqual(await textOf(toolbox.run(call("Echo", { word: "bee" }), toolContext)), [
    false,
    "You said bee",
  ]);
  assert.deepEqual(await textOf(toolbox.run(call("Fail"), toolContext)), [
    true,
    "Cannot do it: it is broken",
  ]);
  assert.deepEqual(await textOf(toolbox.run(call("None"), toolContext)), [
    true,
    "Cannot run None: there is no such tool",
  ]);
  assert.deepEqual(audit.map(({ digest: hash, ...record }) => ({ ...record, hashed: hash.length })), [
    {
      client: "tester",
      requestId: "req_1",
      tool: "Echo",
      outcome: "ok",
      milliseconds: 0,
      hashed: 64,
    },
    {
      client: "tester",
      requestId: "req_1",
      tool: "Fail",
      outcome: "failed",
      milliseconds: 0,
      hashed: 64,
    },
  ]);
});

test("createToolbox() hides a bug from the model and records it in the audit", async () => {
  const bug = new TypeError("undefined is not a function, in /secret/path");
  const broken = defineTool({
    name: "Bug",
    description: "x",
    input: v.object({}),
    run: () => Promise.reject(bug),
  });
  const { toolbox, audit } = createTestToolbox([broken]);
  const result = await textOf(toolbox.run(call("Bug"), createTestContext()));
  assert.deepEqual(result, [true, "Cannot run Bug: the gateway failed"]);
  assert.equal(audit[0]?.error, bug);
  assert.deepEqual(toolbox.metrics().error_breakdown, { bug: 1 });
});

test("createToolbox() ends a call after its timeout", async () => {
  const { tool, running } = createWaiting();
  const { toolbox, clock } = createTestToolbox([tool], { timeoutMs: 30_000 });
  const result = textOf(toolbox.run(call("Wait"), createTestContext()));
  await until(() => running.length === 1);
  clock.advance(29_999);
  assert.equal(running[0]?.host.signal.aborted, false);
  clock.advance(1);
  assert.deepEqual(await result, [true, "Cannot finish Wait: it took longer than 30 s"]);
  assert.equal(running[0]?.host.signal.aborted, true);
  assert.equal(clock.waiting, 0);
});

test("createToolbox() limits concurrent calls and queues the others", async () => {
  const { tool, running } = createWaiting();
  const { toolbox, clock } = createTestToolbox([tool], { concurrency: 2 });
  const results = Array.from({ length: 5 }, () => textOf(toolbox.run(call("Wait"), createTestContext())));
  await until(() => running.length === 2);
  clock.advance(1000);
  running[1]?.finish("second");
  await until(() => running.length === 3);
  for (const nth of [0, 2, 3, 4]) {
    await until(() => running.length > nth);
    running[nth]?.finish(`call ${nth}`);
  }
  assert.equal((await Promise.all(results)).length, 5);
  const { max_concurrent_executions, average_execution_times, success_rate } = toolbox.metrics();
  assert.deepEqual([max_concurrent_executions, success_rate], [2, 1]);
  assert.deepEqual(average_execution_times, { Wait: 0.4 });
});

test("createToolbox() removes a cancelled call from the queue", async () => {
  const { tool, running } = createWaiting();
  const { toolbox, audit } = createTestToolbox([tool], { concurrency: 1 });
  const abort = new AbortController();
  const first = toolbox.run(call("Wait"), createTestContext());
  const second = toolbox.run(call("Wait"), createTestContext({ signal: abort.signal }));
  const third = toolbox.run(call("Wait"), createTestContext());
  await until(() => running.length === 1);
  abort.abort(new DOMException("The client has left", "AbortError"));
  await assert.rejects(second, { name: "AbortError" });
  running[0]?.finish("one");
  await until(() => running.length === 2);
  running[1]?.finish("three");
  await Promise.all([first, third]);
  assert.deepEqual(audit.map(({ outcome }) => outcome), ["cancelled", "ok", "ok"]);
});

test("createToolbox() counts tools that run others in separate slots", async () => {
  const { tool, running } = createWaiting(true);
  const { toolbox, clock } = createTestToolbox([tool, echo], { concurrency: 1, timeoutMs: 1000 });
  const outer = textOf(toolbox.run(call("Wait"), createTestContext()));
  await until(() => running.length === 1);
  assert.deepEqual(await textOf(toolbox.run(call("Echo", { word: "x" }), createTestContext())), [
    false,
    "You said x",
  ]);
  clock.advance(60_000);
  running[0]?.finish("done");
  assert.deepEqual(await outer, [false, "done"]);
});

test("createToolbox() counts calls in order, for any time to parse them", async () => {
  const { toolbox } = createTestToolbox([echo], { callsPerMinute: 1 });
  const toolContext = createTestContext();
  const values = ["x".repeat(5_000_000), "short"];
  const results = await Promise.all(values.map((word) => toolbox.run(call("Echo", { word }), toolContext)));
  assert.deepEqual(results.map(({ isError }) => isError), [false, true]);
});

test("createToolbox() limits concurrent tools that run others", async () => {
  const { tool, running } = createWaiting(true);
  const { toolbox } = createTestToolbox([tool], { concurrency: 2 });
  const all = Array.from({ length: 5 }, () => textOf(toolbox.run(call("Wait"), createTestContext())));
  await until(() => running.length === 2);
  for (let nth = 0; nth < 5; nth++) {
    await until(() => running.length > nth);
    assert.ok(running.length <= nth + 2);
    running[nth]?.finish("done");
  }
  assert.equal((await Promise.all(all)).length, 5);
});

test("createToolbox() limits the calls of each client per minute", async () => {
  const { toolbox, clock } = createTestToolbox([echo], { callsPerMinute: 2 });
  const run = (client: string) =>
    textOf(toolbox.run(call("Echo", { word: "x" }), createTestContext({ client })));
  await run("alice");
  clock.advance(10_000);
  await run("alice");
  const refused = "Cannot run more than 2 tools a minute: try again in 50 s";
  assert.deepEqual(await run("alice"), [true, refused]);
  assert.deepEqual(await run("bob"), [false, "You said x"]);
  clock.advance(50_000);
  assert.deepEqual(await run("alice"), [false, "You said x"]);
  assert.deepEqual(await run("alice"), [true, "Cannot run more than 2 tools a minute: try again in 10 s"]);
});

test("createToolbox() remembers a bounded number of files of a conversation, the latest ones", async () => {
  const sees = defineTool({
    name: "See",
    description: "x",
    input: v.object({}),
    async run(_input, { session: { seen } }) {
      for (let nth = 0; seen.size < 1500; nth++) seen.set(`file${nth}`, "1");
      return "seen";
    },
  });
  const counts = defineTool({
    name: "Tell",
    description: "x",
    input: v.object({}),
    run: async (_input, { session: { seen } }) => `${seen.size} ${[...seen.keys()][0]}`,
  });
  const { toolbox } = createTestToolbox([sees, counts]);
  await toolbox.run(call("See"), createTestContext());
  assert.deepEqual(await textOf(toolbox.run(call("Tell"), createTestContext())), [false, "1000 file500"]);
});

test("createToolbox() truncates a result that is too long", async () => {
  const long = defineTool({
    name: "Long",
    description: "x",
    input: v.object({}),
    run:
      async () => [{ type: "text", text: "x".repeat(150_000) }, { type: "text", text: "y".repeat(150_000) }],
  });
  const { toolbox } = createTestToolbox([long]);
  const { content } = await toolbox.run(call("Long"), createTestContext());
  const texts = content.map((piece) => piece.type === "text" ? piece.text : "");
  assert.equal(texts[0]?.length, 150_000);
  assert.equal(texts[1], `${"y".repeat(50_000)}\n[100000 more characters cut]`);
});

test("createToolbox() keeps the sessions of conversations apart and forgets the oldest of a client", async () => {
  const todos: string[] = [];
  const note = defineTool({
    name: "Note",
    description: "x",
    input: v.object({ word: v.optional(v.string()) }),
    async run({ word }, { session }) {
      if (word !== undefined) session.todos.push({ id: "1", content: word, status: "pending" });
      todos.push(session.todos.map(({ content }) => content).join());
      return "ok";
    },
  });
  const { toolbox } = createTestToolbox([note]);
  const run = (client: string, conversation: string, word?: string) =>
    toolbox.run(call("Note", { word }), createTestContext({ client, conversation }));
  await run("alice", "c1", "a");
  await run("alice", "c1");
  await run("alice", "c2");
  await run("bob", "c1");
  for (let nth = 0; nth < 1000; nth++) await run("mallory", `${nth}`);
  await run("alice", "c1");
  assert.equal(todos.at(-1), "a", "the conversations of another client");
  for (let nth = 0; nth < 1000; nth++) await run("alice", `${nth}`);
  await run("alice", "c1");
  assert.deepEqual(todos.slice(0, 4), ["a", "a", "", ""]);
  assert.equal(todos.at(-1), "");
});

test("defineTool() accepts alternative member names and ignores unknown ones", async () => {
  const seen: unknown[] = [];
  const tool = defineTool({
    name: "Named",
    description: "x",
    input: v.object({ path: v.string(), deep: v.optional(v.boolean(), false) }),
    aliases: { directory: "path" },
    async run(input) {
      seen.push(input);
      return "ok";
    },
  });
  const { toolbox } = createTestToolbox([tool]);
  const run = (input: unknown) => textOf(toolbox.run(call("Named", input), createTestContext()));
  await run({ directory: "a" });
  await run({ directory: "a", path: "b", deep: true });
  await run(JSON.parse('{"path": "c", "__proto__": {"deep": true}, "sandbox": "off"}'));
  assert.deepEqual(seen, [{ path: "a", deep: false }, { path: "b", deep: true }, { path: "c", deep: false }]);
  const [isError, text] = await run([]);
  assert.ok(isError);
  assert.match(text, /^Cannot use Named: /);
});

test("createToolbox() returns the failure of another model", async () => {
  const ask = defineTool({
    name: "Ask",
    description: "x",
    input: v.object({}),
    run: (_input, { models, signal }) => models.runSubagent("Go", { signal }),
  });
  const { toolbox } = createTestToolbox([ask]);
  assert.deepEqual(await textOf(toolbox.run(call("Ask"), createTestContext())), [
    true,
    "Cannot call the model: no model",
  ]);
});
