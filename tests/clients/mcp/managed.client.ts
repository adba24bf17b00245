/** Real MCP servers from npm, which the gateway manages: the filesystem server as docs/examples/mcp.json has it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type ManagedGateway, withManagedServers } from "../../end_to_end/mcp/gateway.ts";
import { createModel, offeredNames } from "../../end_to_end/tools/model.ts";
import { runs } from "../../tools/mcp/managed/stdio_servers.ts";
import { until } from "../../kit/until.ts";
import { call, reply } from "../../kit/model/turns.ts";

const CLIENTS = fileURLToPath(new URL("../", import.meta.url));
const FOLDER = realpathSync(mkdtempSync(join(tmpdir(), "files-")));
writeFileSync(join(FOLDER, "note.txt"), "bees make honey");
after(() => rmSync(FOLDER, { recursive: true }));

process.env.FILES = FOLDER;
const { mcpServers } = JSON.parse(
  readFileSync(new URL("../../../docs/examples/mcp.json", import.meta.url), "utf8"),
);

/** The name of each server, a tool that it has, and a call of it. */
const SERVERS = {
  // The folder in which npx finds the pinned package.
  files: { ...mcpServers.files, cwd: CLIENTS },
  everything: { command: join(CLIENTS, "node_modules/.bin/mcp-server-everything") },
  memory: {
    command: join(CLIENTS, "node_modules/.bin/mcp-server-memory"),
    env: { MEMORY_FILE_PATH: join(FOLDER, "memory.json") },
  },
};
const CALLS: Record<keyof typeof SERVERS, [tool: string, input: object, result: RegExp]> = {
  files: ["read_text_file", { path: join(FOLDER, "note.txt") }, /bees make honey/],
  everything: ["get-sum", { a: 2, b: 3 }, /5/],
  memory: ["read_graph", {}, /entities/],
};

function toMessage(...servers: string[]) {
  return {
    model: "openai/gpt-5",
    max_tokens: 100,
    messages: [{ role: "user", content: "Go" }],
    tools: servers.map((name) => ({ type: "mcp_toolset", mcp_server_name: name })),
  };
}

/** Returns the results of a message, as JSON. */
function resultsIn(content: Record<string, unknown>[]): string[] {
  return content.filter(({ type }) => type === "mcp_tool_result").map((block) => JSON.stringify(block));
}

async function readPid({ ask }: ManagedGateway, name: string): Promise<number> {
  return (await ask(`GET /mcp/servers/${name}/status`)).body.pid;
}

withManagedServers("the servers of npm start, list their tools, are used by one message, and stop", () => {
  const model = createModel();
  const calls = Object.entries(CALLS).map(([name, [tool, input]], at) =>
    call(`call_${at}`, `${name}_${tool}`, input)
  );
  model.script(reply({ tools: calls }), reply({ text: ["Done."] }));
  return {
    servers: SERVERS,
    fetch: model.fetch,
    async run(gateway) {
      const { ask } = gateway;
      const { body } = await ask("POST /messages", toMessage(...Object.keys(SERVERS)));
      const results = resultsIn(body.content);
      Object.values(CALLS).forEach(([, , result], at) => assert.match(results[at] ?? "", result));
      const [first] = model.requests;
      assert.ok(first);
      for (const [name, [tool]] of Object.entries(CALLS)) {
        const { body: list } = await ask(`GET /mcp/servers/${name}/tools`);
        assert.ok(list.tools.some((listed: { name: string }) => listed.name === tool), name);
        assert.deepEqual(list.rejected_tools, []);
        assert.ok(offeredNames(first).includes(`${name}_${tool}`), name);
      }
      const { body: health } = await ask("GET /mcp/health");
      assert.deepEqual([health.healthy_servers, health.overall_health], [3, "healthy"]);
      const pids = await Promise.all(Object.keys(SERVERS).map((name) => readPid(gateway, name)));
      const { body: stopped } = await ask("POST /mcp/servers/stop", { server_names: Object.keys(SERVERS) });
      assert.equal(stopped.successful_operations, 3);
      for (const pid of pids) assert.equal(await runs(pid), false);
    },
  };
});

withManagedServers(
  "server-everything recovers from kill -9, idle and in mid-call, and runs calls at the same time",
  () => {
    const model = createModel();
    const sum = (id: string) => call(id, "everything_get-sum", { a: 2, b: 3 });
    model.script(
      reply({ tools: [sum("call_1"), sum("call_2"), sum("call_3")] }),
      reply({ text: ["Done."] }),
      reply({
        tools: [call("call_4", "everything_trigger-long-running-operation", { duration: 20, steps: 1 })],
      }),
      reply({ tools: [sum("call_5")] }),
      reply({ text: ["Done."] }),
    );
    return {
      servers: SERVERS,
      fetch: model.fetch,
      async run(gateway) {
        const { ask } = gateway;
        await ask("POST /mcp/servers/everything/start");
        process.kill(await readPid(gateway, "everything"), "SIGKILL");
        await until(async () => (await ask("GET /mcp/servers/everything/status")).body.restart_count === 1);
        const idle = await ask("POST /messages", toMessage("everything"));
        assert.deepEqual(
          resultsIn(idle.body.content).map((result) => /is_error":false.*\b5\b/.test(result)),
          [
            ...[true, true, true],
          ],
        );

        const answering = ask("POST /messages", toMessage("everything"));
        await until(async () => model.requests.length === 3);
        await setTimeout(300); // the call is on its way; a kill before it arrives gives the same result
        process.kill(await readPid(gateway, "everything"), "SIGKILL");
        const [failed = "", back = ""] = resultsIn((await answering).body.content);
        assert.match(failed, /"is_error":true.*it closed the connection/);
        assert.match(back, /"is_error":false.*\b5\b/);
      },
    };
  },
);
