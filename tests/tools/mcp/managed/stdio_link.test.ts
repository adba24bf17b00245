import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { startChild } from "../../../../tools/mcp/managed/child.ts";
import { readProcessTable } from "../../../../tools/mcp/managed/process_table.ts";
import type { ServerControl } from "../../../../tools/mcp/managed/managed_servers.ts";
import type { StdioServer } from "../../../../tools/mcp/managed/server_config.ts";
import { call, createStdioServers, never, runs, serverCommand } from "./stdio_servers.ts";
import { until } from "../../../kit/until.ts";

const skip = process.platform === "win32" ? "no process groups on Windows" : false;
const noTable = await readProcessTable() === undefined ? "no /proc" : false;

function withServer(
  name: string,
  run: (control: ServerControl) => Promise<void>,
  options: { fields?: Partial<StdioServer>; skip?: string | false } = {},
): void {
  test(name, { skip: options.skip ?? skip, timeout: 30_000 }, async () => {
    const control = createStdioServers(options.fields);
    try {
      await run(control);
    } finally {
      await control.stopAll();
    }
  });
}

withServer("a server receives only PATH, HOME and its configured variables", async (control) => {
  const connection = await control.connect("a", never);
  assert.deepEqual(JSON.parse(await call(connection, "environment")), {
    PATH: process.env.PATH ?? "",
    HOME: "/nowhere",
    SERVER_KEY: "0123456789-key",
  });
  // The greeting on stdout is not a message; the key on stderr is a secret.
  assert.deepEqual(control.status("a")?.log.toSorted(), ["Welcome!", "started with the key [redacted]"]);
});

withServer("calls share one process, also those that run at the same time", async (control) => {
  const connections = await Promise.all(Array.from({ length: 10 }, () => control.connect("a", never)));
  const pids = await Promise.all(connections.map((connection) => call(connection, "pid")));
  assert.deepEqual([...new Set(pids)], [String(control.status("a")?.pid)]);
  const texts = await Promise.all(
    connections.map((connection, at) => call(connection, "echo", { text: at })),
  );
  assert.deepEqual(texts, connections.map((_connection, at) => String(at)));
});

withServer("a server that is killed fails the calls that run, and serves the next one", async (control) => {
  const connection = await control.connect("a", never);
  const calls = [1, 2].map(() => connection.callTool("hang", {}, never));
  const pid = control.status("a")?.pid ?? 0;
  process.kill(pid, "SIGKILL");
  await Promise.all(calls.map((failed) => assert.rejects(failed, /it closed the connection/)));
  const again = await control.connect("a", never);
  assert.equal(await call(again, "echo", { text: "back" }), "back");
  assert.notEqual(control.status("a")?.pid, pid);
  assert.equal(control.status("a")?.restarts, 1);
});

withServer("a server that exits with status 0 is stopped, and the next use starts it", async (control) => {
  const connection = await control.connect("a", never);
  await assert.rejects(connection.callTool("exit", {}, never), /it closed the connection/);
  await until(async () => control.status("a")?.state.name === "stopped");
  assert.equal(await call(await control.connect("a", never), "echo", { text: "back" }), "back");
});

withServer("a message that is too long ends the server, not the gateway", async (control) => {
  const connection = await control.connect("a", never);
  await assert.rejects(
    connection.callTool("flood", { chars: 17 * 1024 * 1024 }, never),
    /it closed the connection/,
  );
  assert.equal(await call(await control.connect("a", never), "echo", { text: "back" }), "back");
  assert.match(control.status("a")?.log.join("\n") ?? "", /a message was longer than 16777216 characters/);
});

withServer("stop() ends the processes of a server, also those that left its group", async (control) => {
  const connection = await control.connect("a", never);
  const pids = [Number(await call(connection, "spawn", { how: "child" }))];
  pids.push(Number(await call(connection, "spawn", { how: "session" })), control.status("a")?.pid ?? 0);
  for (const pid of pids) assert.equal(await runs(pid), true);
  await control.stop("a", { force: true });
  for (const pid of pids) assert.equal(await runs(pid), false);
}, { skip: noTable });

withServer("a server that is killed leaves no processes", async (control) => {
  const connection = await control.connect("a", never);
  const pids = [Number(await call(connection, "spawn", { how: "session" }))];
  pids.push(Number(await call(connection, "spawn", { how: "child" })));
  process.kill(control.status("a")?.pid ?? 0, "SIGKILL");
  await connection.closed;
  await control.connect("a", never);
  for (const pid of pids) assert.equal(await runs(pid), false);
}, { skip: noTable });

const FAILURES: [name: string, fields: Partial<StdioServer>, reason: RegExp][] = [
  [
    "exits",
    serverCommand("fail"),
    /^Cannot start MCP server "a": it exited with status 3; its last output was:\nstarted with the key \[redacted\]$/,
  ],
  ["is no program", { command: "no-such-program-0a1b" }, /: its command was not found in PATH$/],
  ["has no folder", { cwd: "/no/such/folder" }, /its folder `cwd` does not exist$/],
  ["may not be executed", { command: "/etc/passwd" }, /: its command may not be executed$/],
];

for (const [name, fields, reason] of FAILURES) {
  withServer(`start() fails with the reason if a server ${name}`, async (control) => {
    await assert.rejects(control.start("a"), { message: reason });
    assert.equal(control.status("a")?.state.name, "failed");
    assert.equal(control.status("a")?.pid, undefined);
  }, { fields });
}

test(
  "end() kills a process that ignores SIGTERM and the end of stdin",
  { skip, timeout: 30_000 },
  async () => {
    const config = { type: "stdio", env: {}, ...serverCommand("stubborn") } as const;
    const graces = { stdin: 50, sigterm: 50 };
    const child = await startChild(config, { inherited: {}, onStderr: () => {}, graces });
    // The process has set its signal handler.
    await new Promise((resolve) => child.stdout.once("data", resolve));
    assert.equal(await child.end(), 0);
    assert.equal((await child.exited).signal, "SIGKILL");
  },
);

test("end() sends no signal to a process that ends when stdin ends", { skip, timeout: 30_000 }, async () => {
  const child = await startChild({ type: "stdio", env: {}, ...serverCommand() }, {
    inherited: {},
    onStderr: () => {},
  });
  assert.equal(await child.end(), 0);
  assert.deepEqual(await child.exited, { code: 0, signal: null });
});
