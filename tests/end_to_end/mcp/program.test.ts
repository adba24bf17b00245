import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runs, serverCommand } from "../../tools/mcp/managed/stdio_servers.ts";
import { launch, OWN_PROGRAMS, type Runtime } from "../runtimes/launch.ts";
import { ADMIN } from "./gateway.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "mcp-"));
const PATH = join(FOLDER, ".mcp.json");
after(() => rmSync(FOLDER, { recursive: true }));
writeFileSync(PATH, JSON.stringify({ mcpServers: { good: { ...serverCommand(), timeout: 1 } } }));
const BROKEN = join(FOLDER, "broken.json");
writeFileSync(BROKEN, JSON.stringify({ mcpServers: { a: { command: "x", args: ["${NO_SUCH_VARIABLE}"] } } }));

const ARGS = ["--port", "0", "--admin-key", ADMIN, "--log-level", "off"];

/** Returns a runtime with more permissions on Deno. */
function permit(runtime: Runtime, ...permissions: string[]): Runtime {
  const [file = "", ...rest] = runtime.command;
  if (runtime.name !== "deno") return runtime;
  const command = [file, ...rest.slice(0, -1), ...permissions, ...rest.slice(-1)];
  return { ...runtime, command };
}

async function start(runtime: Runtime, run: (url: string) => Promise<number>): Promise<void> {
  const program = launch(runtime, [...ARGS, "--mcp-config", PATH]);
  const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
  const pid = await run(url).finally(() => program.kill("SIGTERM"));
  const { status, stderr } = await program.ended;
  assert.equal(status, 0, stderr);
  if (pid > 0) assert.equal(await runs(pid), false);
}

async function startServer(url: string) {
  const headers = { "x-api-key": ADMIN };
  const response = await fetch(`${url}/v1/mcp/servers/good/start`, { method: "POST", headers });
  return { status: response.status, body: await response.json() };
}

for (const runtime of OWN_PROGRAMS) {
  const permitted = permit(runtime, `--allow-read=${FOLDER}`, "--allow-env", "--allow-run");
  const on = (does: string, run: () => Promise<void>) =>
    test(`mod.ts on ${runtime.name} ${does}`, { skip: runtime.missing, timeout: 60_000 }, run);

  on("starts an MCP server for a request, and ends it on SIGTERM", () =>
    start(permitted, async (url) => {
      const { status, body } = await startServer(url);
      assert.equal(status, 200, JSON.stringify(body));
      return body.pid;
    }));

  on("reads the file of MCP_CONFIG for --check", async () => {
    const { status, stdout, stderr } = await launch(permitted, [...ARGS, "--check", "--mcp-config", PATH])
      .ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^ {2}MCP server good {2}stdio; ignored: "timeout"$/m);
  });
}

for (const args of [["--check"], []]) {
  const [runtime] = OWN_PROGRAMS;
  test(`mod.ts ${args} reports a missing variable in MCP_CONFIG, and ends with status 2`, {
    skip: runtime?.missing,
    timeout: 60_000,
  }, async () => {
    assert.ok(runtime);
    const { status, stderr } = await launch(permit(runtime, `--allow-read=${FOLDER}`, "--allow-env"), [
      ...ARGS,
      ...args,
      "--mcp-config",
      BROKEN,
    ]).ended;
    assert.equal(status, 2);
    assert.match(
      stderr,
      /: mcpServers\.a\.args\.0: variable NO_SUCH_VARIABLE is not set, or may not be read\n$/,
    );
  });
}

const deno = OWN_PROGRAMS.find(({ name }) => name === "deno");
const skip = deno === undefined ? "only Deno has permissions" : deno.missing;

test("a server that is a process needs --allow-run on Deno, and the gateway serves without it", {
  skip,
  timeout: 60_000,
}, async () => {
  assert.ok(deno);
  await start(permit(deno, `--allow-read=${FOLDER}`), async (url) => {
    const { status, body } = await startServer(url);
    assert.equal(status, 502);
    assert.equal(
      body.error.message,
      'Cannot start MCP server "good": Deno was started without --allow-run',
    );
    return 0;
  });
});

test("MCP_CONFIG needs --allow-read on Deno", { skip, timeout: 60_000 }, async () => {
  assert.ok(deno);
  const { status, stderr } = await launch(deno, [...ARGS, "--mcp-config", PATH]).ended;
  assert.equal(status, 2);
  assert.match(stderr, /: Deno was started without the permission for this file\n$/);
});
