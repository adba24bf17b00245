import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { parseConfig } from "../../../lib/config/parse.ts";
import { checkDatabase, createDataDirCheck } from "../../../lib/durable/data_dir_check.ts";
import { openDataDir } from "../../../lib/durable/data_dir.ts";
import { examine } from "../../../lib/doctor/doctor.ts";
import { writeReport } from "../../../lib/doctor/report.ts";
import { createGatewayContext } from "../../../lib/server/create_context.ts";
import { FakeClock } from "../../kit/clock.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";
import { createTestGateway } from "../../kit/gateway.ts";
import { serverCommand } from "../../tools/mcp/managed/stdio_servers.ts";
import { until } from "../../kit/until.ts";
import { call, reply } from "../../kit/model/turns.ts";
import { ADMIN } from "../mcp/gateway.ts";
import { createModel } from "../tools/model.ts";

const NO_GROUPS = process.platform === "win32" ? "no process groups on Windows" : false;
const SECRET = "0123456789-secret";
const nextFolder = createFolders();
const root = mkdtempSync(join(tmpdir(), "state-"));
after(() => rmSync(root, { recursive: true, force: true }));

const MCP_CONFIG = join(root, "mcp.json");
writeFileSync(
  MCP_CONFIG,
  JSON.stringify({
    mcpServers: {
      good: { ...serverCommand(), env: { SERVER_KEY: SECRET } },
      bad: { ...serverCommand("fail", "--token", SECRET), restart_policy: "never" },
      idle: serverCommand(),
    },
  }),
);

test("GET /metrics and GET /health/detailed show the state, calls and failures of MCP servers", {
  skip: NO_GROUPS,
  timeout: 60_000,
}, async () => {
  const model = createModel();
  const gateway = createTestGateway({
    fetch: model.fetch,
    settings: { GATEWAY_ADMIN_KEY: ADMIN, MCP_CONFIG, GATEWAY_API_KEYS: "alice-0123456789abcdef" },
  });
  const get = async (path: string) => await (await gateway.get(path, { "x-api-key": ADMIN })).text();
  const start = async (name: string) =>
    await (await gateway.fetch(
      new Request(`http://gateway.test/v1/mcp/servers/${name}/start`, {
        method: "POST",
        headers: { "x-api-key": ADMIN },
      }),
    )).text();
  try {
    const before = JSON.parse(await get("/health/detailed")).services.mcp_servers;
    const stopped = { status: "stopped", health: "unknown", restarts: 0 };
    assert.deepEqual(before, { good: stopped, bad: stopped, idle: stopped });
    await start("bad");
    model.script(
      reply({
        tools: [
          call("call_1", "good_echo", { text: "hi" }),
          call("call_2", "good_echo", { text: "ho" }),
        ],
      }),
      reply({ tools: [call("call_3", "good_exit", { status: 3 })] }),
      reply({ text: ["Done"] }),
    );
    const message = await gateway.post({
      model: "openai/gpt-5",
      max_tokens: 100,
      messages: [{ role: "user", content: "Go" }],
      tools: [{ type: "mcp_toolset", mcp_server_name: "good" }],
    }, { headers: { "x-api-key": ADMIN } });
    assert.equal(message.status, 200, await message.text());
    // The call of `exit` ends the server, which waits for its restart, because the clock stands still.
    await until(async () => (await get("/health/detailed")).includes('"restarting"'));
    const metrics = await get("/metrics");
    for (
      const line of [
        'gateway_mcp_server_state{server="good",state="dead"} 0',
        'gateway_mcp_server_state{server="bad",state="dead"} 1',
        'gateway_mcp_server_state{server="idle",state="stopped"} 1',
        'gateway_mcp_server_state{server="good",state="restarting"} 1',
        'gateway_mcp_server_restarts_total{server="good"} 1',
        'gateway_mcp_calls_total{server="good",outcome="ok"} 2',
        'gateway_mcp_calls_total{server="good",outcome="failed"} 1',
        'gateway_mcp_calls_total{server="idle",outcome="ok"} 0',
      ]
    ) assert.ok(metrics.split("\n").includes(line), `${line}\n${metrics}`);
    const health = await get("/health/detailed");
    const { status, services } = JSON.parse(health);
    assert.equal(status, "degraded");
    assert.deepEqual(services.mcp_servers, {
      good: { status: "restarting", health: "dead", restarts: 1 },
      bad: { status: "dead", health: "dead", restarts: 0 },
      idle: stopped,
    });
    assert.equal((health + metrics).includes(SECRET), false);
  } finally {
    await gateway.stop();
  }
});

test("GET /metrics and GET /health/detailed show whether DATA_DIR can be written, and its size", {
  skip: NO_SQLITE,
}, async () => {
  const gateway = createTestGateway({ settings: { DATA_DIR: nextFolder() } });
  try {
    const { data } = (await (await gateway.get("/health/detailed")).json()).services.storage;
    assert.equal(data.status, "on");
    assert.ok(data.bytes > 0 && data.bytes < 1024 * 1024);
    const metrics = await (await gateway.get("/metrics")).text();
    assert.ok(metrics.includes("\ngateway_data_dir_writable 1\n"));
    assert.ok(metrics.includes(`\ngateway_data_dir_bytes ${data.bytes}\n`));
  } finally {
    await gateway.stop();
  }
});

test(
  "checkDatabase() reports why DATA_DIR cannot be written, and createDataDirCheck() checks again after 30 s",
  {
    skip: NO_SQLITE,
  },
  async () => {
    const dataDir = openDataDir(nextFolder(), { newId: () => "gateway_1" });
    const clock = new FakeClock();
    const check = createDataDirCheck(dataDir, clock);
    assert.equal((await check.run()).failure, undefined);
    await dataDir.database.run("PRAGMA query_only = ON");
    assert.equal((await check.run()).failure, undefined);
    clock.advance(30_000);
    const failed = { failure: "permission to write its gateway.sqlite is denied", bytes: undefined };
    assert.deepEqual(await check.run(), failed);
    assert.deepEqual(await checkDatabase(dataDir), failed);
    await dataDir.database.run("PRAGMA query_only = OFF");
    clock.advance(30_000);
    assert.equal((await check.run()).failure, undefined);
    assert.equal((await dataDir.database.get("SELECT count(*) AS count FROM steps"))?.count, 0);
    await dataDir.close();
  },
);

/** Returns the lines of the report for settings. */
async function reportOf(settings: Record<string, string>, configFile?: string): Promise<string[]> {
  const context = createGatewayContext(parseConfig({ settings }), {
    fetch: () => Promise.resolve(Response.json({ data: [] })),
  });
  const sections = await examine(context, { models: [], url: "http://127.0.0.1:4000", configFile });
  return writeReport(sections).split("\n").map((line) => line.trim());
}

test("examine() starts the MCP servers, counts their tools, and ends them", {
  skip: NO_GROUPS,
  timeout: 60_000,
}, async () => {
  const lines = await reportOf({ MCP_CONFIG });
  for (
    const line of [
      "ok    no configuration file",
      "ok    good: 7 tools",
      "ok    idle: 7 tools",
      'FAIL  bad: Cannot start MCP server "bad": it exited with status 3; its last output was: | started with the key (none)',
      "ok    DATA_DIR is not set",
    ]
  ) assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
  assert.equal(lines.join().includes(SECRET), false);
});

test("examine() names the configuration file, and checks DATA_DIR", { skip: NO_SQLITE }, async () => {
  const lines = await reportOf({ DATA_DIR: nextFolder() }, "gateway.json");
  assert.ok(lines.includes("ok    the configuration file gateway.json is valid"));
  assert.ok(lines.includes("ok    none: MCP_CONFIG names no server"));
  assert.match(lines.join("\n"), /^ok {4}DATA_DIR can be written; 0\.\d MiB are used$/m);
  const failed = await reportOf({ DATA_DIR: MCP_CONFIG });
  assert.match(failed.join("\n"), /^FAIL {2}DATA_DIR: Cannot use DATA_DIR ".*": it is not a folder$/m);
});
