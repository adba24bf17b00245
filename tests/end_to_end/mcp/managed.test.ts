import assert from "node:assert/strict";
import process from "node:process";
import { type Answer, withManagedServers } from "./gateway.ts";
import { runs, serverCommand } from "../../tools/mcp/managed/stdio_servers.ts";
import { until } from "../../kit/until.ts";

const SECRET = "0123456789-secret";

/** Servers of the configuration: `good`, `other`, and `bad`, which cannot be started. */
const SERVERS = {
  good: { ...serverCommand(), env: { SERVER_KEY: SECRET } },
  other: serverCommand(),
  bad: { ...serverCommand("fail", "--token", SECRET), env: { SERVER_KEY: SECRET }, restart_policy: "never" },
};

function withGateway(
  name: string,
  run: (ask: (route: string, body?: object) => Promise<Answer>, stop: () => Promise<void>) => Promise<void>,
): void {
  withManagedServers(name, () => ({
    servers: SERVERS,
    run: ({ ask, stop }) =>
      run(async (route, body) => {
        const [method, path] = route.split(" ");
        const answer = await ask(`${method} /mcp${path}`, body);
        assert.ok(!answer.text.includes(SECRET), answer.text);
        return answer;
      }, stop),
  }));
}

withGateway("/v1/mcp/ starts, shows, restarts and stops a server", async (ask) => {
  assert.deepEqual((await ask("GET /servers")).body, ["good", "other", "bad"]);
  const before = await ask("GET /servers/good/status");
  assert.deepEqual(before.body, {
    ...{ name: "good", status: "stopped", running: false, pid: null, started_at: null, uptime_seconds: null },
    ...{ restart_count: 0, health_status: "unknown", last_health_check: null },
    config: { type: "stdio", command: process.execPath, restart_policy: "on-failure" },
    log: [],
  });
  for (const route of ["GET /servers/good/tools", "POST /servers/good/stop"]) {
    const { status, body } = await ask(route);
    assert.deepEqual([status, body.error.type], [409, "conflict_error"], route);
  }

  const starts = await Promise.all([ask("POST /servers/good/start"), ask("POST /servers/good/start")]);
  for (const { status, body } of starts) {
    assert.equal(status, 200);
    assert.deepEqual([body.server_name, body.success, body.status, body.running], [
      "good",
      true,
      "running",
      true,
    ]);
  }
  assert.equal(starts[0]?.body.pid, starts[1]?.body.pid);
  const again = await ask("POST /servers/good/start");
  assert.deepEqual([again.status, again.body.error.message], [
    409,
    'Cannot start MCP server "good": it is running',
  ]);
  const { body: tools } = await ask("GET /servers/good/tools");
  assert.ok(tools.tools.some((tool: { name: string }) => tool.name === "echo"));

  const { body: running } = await ask("GET /servers/good/status");
  assert.deepEqual([running.health_status, running.restart_count, running.uptime_seconds >= 0], [
    "healthy",
    0,
    true,
  ]);
  assert.deepEqual(running.log.toSorted(), ["Welcome!", "started with the key [redacted]"]);
  const { body: restarted } = await ask("POST /servers/good/restart?force=true");
  assert.deepEqual([restarted.success, restarted.status], [true, "running"]);
  assert.notEqual(restarted.pid, running.pid);
  assert.equal(await runs(running.pid), false);
  assert.equal((await ask("POST /servers/good/stop?force=maybe")).status, 400);
  const stopped = await ask("POST /servers/good/stop");
  assert.deepEqual([stopped.status, stopped.body.status, stopped.body.pid], [200, "stopped", null]);
  assert.equal(await runs(restarted.pid), false);
});

withGateway("/v1/mcp/ answers a failed start with 502 and the reason", async (ask) => {
  const { status, body } = await ask("POST /servers/bad/start");
  assert.equal(status, 502);
  assert.deepEqual([body.type, body.error.type], ["error", "api_error"]);
  assert.equal(
    body.error.message,
    'Cannot start MCP server "bad": it exited with status 3; its last output was:\nstarted with the key [redacted]',
  );
  const { body: failed } = await ask("GET /servers/bad/status");
  assert.deepEqual([failed.status, failed.health_status], ["dead", "dead"]);
  assert.match(failed.last_error, /^it exited with status 3/);
  assert.equal((await ask("POST /servers/bad/stop")).status, 409);
});

withGateway("/v1/mcp/ starts and stops several servers, with the failures in the results", async (ask) => {
  const started = await ask("POST /servers/start", {
    server_names: ["good", "bad", "other", "none", "good"],
  });
  assert.equal(started.status, 200);
  const { total_servers, successful_operations, failed_operations, success_rate, results } = started.body;
  assert.deepEqual([total_servers, successful_operations, failed_operations, success_rate], [4, 2, 2, 0.5]);
  assert.deepEqual(
    results.map(({ server_name, success }: Record<string, unknown>) => [server_name, success]),
    [
      ...[["good", true], ["bad", false], ["other", true], ["none", false]],
    ],
  );
  assert.match(results[1].error, /it exited with status 3/);
  assert.match(results[3].error, /MCP_CONFIG has none of this name/);

  const { body: health } = await ask("GET /health");
  assert.deepEqual(
    [health.total_servers, health.running_servers, health.healthy_servers, health.unhealthy_servers],
    [3, 2, 2, 1],
  );
  assert.equal(health.overall_health, "degraded");
  const { body: statuses } = await ask("GET /servers/status");
  assert.deepEqual(Object.keys(statuses), ["good", "other", "bad"]);
  assert.equal(statuses.other.running, true);

  const stopped = await ask("POST /servers/stop", { server_names: ["good", "bad"], force: true });
  assert.deepEqual([stopped.body.successful_operations, stopped.body.failed_operations], [1, 1]);
});

withGateway("/v1/mcp/config shows no secrets", async (ask) => {
  const { body: all } = await ask("GET /config");
  assert.deepEqual([all.total_servers, Object.keys(all.configurations)], [3, ["good", "other", "bad"]]);
  const { body } = await ask("GET /config/bad");
  assert.equal(body.server_name, "bad");
  assert.deepEqual(body.config.environment, { SERVER_KEY: "[redacted]" });
  assert.deepEqual(body.config.args.slice(-2), ["--token", "[redacted]"]);
  assert.equal((await ask("GET /config/none")).status, 404);
});

withGateway(
  "Gateway.stop() ends all servers, also one that waits for its restart",
  async (ask, stop) => {
    const { body } = await ask("POST /servers/start", { server_names: ["good", "other"] });
    const pids: number[] = body.results.map(({ pid }: { pid: number }) => pid);
    process.kill(pids[0] ?? 0, "SIGKILL");
    await until(async () => (await ask("GET /servers/good/status")).body.restart_count === 1);
    await stop();
    for (const pid of pids) assert.equal(await runs(pid), false);
  },
);
