import assert from "node:assert/strict";
import { test } from "node:test";
import { McpError } from "../../../../tools/errors.ts";
import { createFakeServers } from "./fake_link.ts";

const never = new AbortController().signal;
const CRASH = { reason: "crash", clean: false };

test("start() merges concurrent starts, and settles when the server runs", async () => {
  const { control, starts, states } = createFakeServers();
  const all = [control.start("a"), control.start("a"), control.connect("a", never)];
  assert.equal(starts.length, 1);
  await starts[0]?.succeed();
  await Promise.all(all);
  assert.deepEqual(states, ["starting", "running"]);
});

test("start() fails with the reason and the last output, without secrets", async () => {
  const { control, starts } = createFakeServers();
  const started = control.start("a");
  starts[0]?.options.log.add("cannot open secret file");
  await starts[0]?.fail(new McpError('Cannot connect to MCP server "a": the secret is wrong'));
  await assert.rejects(started, {
    message:
      'Cannot start MCP server "a": the [redacted] is wrong; its last output was:\ncannot open [redacted] file',
  });
  assert.equal(control.status("a")?.health, "dead");
});

test("connect() fails with the reason, without the output and secrets", async () => {
  const { control, starts } = createFakeServers();
  const connecting = control.connect("a", never);
  starts[0]?.options.log.add("cannot open another file");
  await starts[0]?.fail(new McpError('Cannot connect to MCP server "a": the secret is wrong'));
  await assert.rejects(connecting, { message: 'Cannot start MCP server "a": the [redacted] is wrong' });
});

test("errors of a running server contain no secrets", async () => {
  const { control, starts } = createFakeServers();
  const connecting = control.connect("a", never);
  await starts[0]?.succeed();
  const connection = await connecting;
  const start = starts[0];
  assert.ok(start);
  start.failure = new McpError("the secret is wrong", { cause: "secret" });
  const expected = (error: unknown) =>
    error instanceof McpError && error.message === "the [redacted] is wrong" && error.cause === undefined;
  await assert.rejects(connection.callTool("x", {}, never), expected);
  await assert.rejects(connection.listTools(never), expected);
  await assert.rejects(control.tools("a", never), expected);
});

test("start() fails after 25 s, and ends the process that it has started", async () => {
  const { control, starts, advance } = createFakeServers();
  const started = control.start("a");
  await advance(25_000);
  await assert.rejects(started, /it did not answer as an MCP server within 25 s/);
  assert.equal(starts[0]?.options.signal.aborted, true);
});

test("start() reports an unexpected failure, and does not throw it elsewhere", async () => {
  const { control, starts } = createFakeServers();
  const started = control.start("a");
  await starts[0]?.fail(new TypeError("a bug"));
  await assert.rejects(started, /the gateway failed/);
});

test("connect() starts a stopped server, and shares its connection", async () => {
  const { control, starts } = createFakeServers();
  const connecting = control.connect("a", never);
  await starts[0]?.succeed();
  const connection = await connecting;
  await connection.close();
  const again = await control.connect("a", never);
  assert.equal((await again.callTool("x", {}, never)).isError, false);
  assert.equal(starts.length, 1);
  assert.equal(starts[0]?.closed, false);
});

test("connect() rejects when its signal is aborted, and the start continues", async () => {
  const { control, starts } = createFakeServers();
  const client = new AbortController();
  const connecting = control.connect("a", client.signal);
  const reason = new Error("left");
  client.abort(reason);
  await assert.rejects(connecting, reason);
  await starts[0]?.succeed();
  assert.equal(control.status("a")?.state.name, "running");
});

test("connect() waits for the restart of a server that has crashed", async () => {
  const { control, starts, advance } = createFakeServers();
  void control.start("a");
  await starts[0]?.succeed();
  await starts[0]?.end(CRASH);
  const connecting = control.connect("a", never);
  await advance(500);
  await starts[1]?.succeed();
  await connecting;
  assert.equal(control.status("a")?.restarts, 1);
});

test("connect() rejects after the maximum of restarts, and starts the server again after 30 s", async () => {
  const { control, starts, advance } = createFakeServers("on-failure", 1);
  void control.start("a");
  await starts[0]?.succeed();
  await starts[0]?.end(CRASH);
  await advance(500);
  await starts[1]?.succeed();
  await starts[1]?.end(CRASH);
  assert.equal(control.status("a")?.state.name, "failed");
  await assert.rejects(control.connect("a", never), { message: 'Cannot start MCP server "a": crash' });
  await advance(30_000);
  const connecting = control.connect("a", never);
  await starts[2]?.succeed();
  await connecting;
});

test("connect() rejects an unknown server", async () => {
  const { control } = createFakeServers();
  await assert.rejects(control.connect("b", never), /MCP_CONFIG has none of this name/);
});

test("a server that answers no ping is unhealthy, and is restarted after three", async () => {
  const { control, starts, states, advance } = createFakeServers();
  void control.start("a");
  await starts[0]?.succeed();
  if (starts[0] !== undefined) starts[0].answers = false;
  await advance(30_000);
  assert.equal(control.status("a")?.health, "healthy");
  await advance(5_000);
  assert.equal(control.status("a")?.health, "unhealthy");
  for (let ping = 0; ping < 2; ping++) {
    await advance(30_000);
    await advance(5_000);
  }
  assert.deepEqual(states, ["starting", "running", "restarting"]);
  assert.equal(starts[0]?.closed, true);
  const { state } = control.status("a") ?? {};
  assert.equal(state && "reason" in state && state.reason, "it did not answer 3 pings in a row");
  await advance(500);
  await starts[1]?.succeed();
  assert.equal(control.status("a")?.health, "healthy");
});

test("checkHealth() pings at once, and a server that answers is healthy again", async () => {
  const { control, clock, starts, advance } = createFakeServers();
  void control.start("a");
  await starts[0]?.succeed();
  if (starts[0] !== undefined) starts[0].answers = false;
  const checking = control.checkHealth();
  await advance(5_000);
  await checking;
  assert.equal(control.status("a")?.health, "unhealthy");
  if (starts[0] !== undefined) starts[0].answers = true;
  await control.checkHealth();
  assert.equal(control.status("a")?.health, "healthy");
  assert.equal(control.status("a")?.lastHealthCheck, clock.now());
});

test("stop() ends a pending start", async () => {
  const { control, starts, settle } = createFakeServers();
  const started = control.start("a");
  const stopped = control.stop("a");
  await settle();
  await stopped;
  await assert.rejects(started, /it was stopped/);
  assert.equal(starts[0]?.options.signal.aborted, true);
  assert.equal(control.status("a")?.state.name, "stopped");
});

test("stop() leaves no timer, and a stopped server starts again", async () => {
  const { control, clock, starts } = createFakeServers();
  void control.start("a");
  await starts[0]?.succeed();
  await control.stop("a");
  assert.equal(clock.waiting, 0);
  const started = control.start("a");
  await starts[1]?.succeed();
  await started;
});

test("stopAll() stops servers permanently", async () => {
  const { control, clock, starts } = createFakeServers();
  void control.start("a");
  await starts[0]?.succeed();
  await starts[0]?.end(CRASH);
  await control.stopAll();
  assert.equal(clock.waiting, 0);
  await assert.rejects(control.connect("a", never), /the gateway is shutting down/);
  await assert.rejects(control.start("a"), /the gateway is shutting down/);
  assert.equal(starts.length, 1);
});
