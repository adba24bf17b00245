import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { launch, OWN_PROGRAMS, type Program, type Runtime } from "./launch.ts";

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};

for (const runtime of OWN_PROGRAMS) {
  const on = (does: string, run: () => Promise<void>) =>
    test(`mod.ts --mcp on ${runtime.name} ${does}`, { skip: runtime.missing, timeout: 60_000 }, run);

  on("serves the tools without a port, and ends with its input", async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-stdio-")));
    writeFileSync(join(folder, "a.txt"), "hello");
    // The port is taken: a program that opened it would fail.
    const { port, close } = await takePort();
    const args = ["--mcp", "--tools", "files-read", "--workspace-root", folder, "--port", String(port)];
    const program = launch(withFiles(runtime, folder), args, {}, { input: true });
    sendMessage(program, INITIALIZE);
    await program.find(/"protocolVersion":"2025-11-25"/);
    sendMessage(program, { jsonrpc: "2.0", method: "notifications/initialized" });
    const params = { name: "Read", arguments: { file_path: "a.txt" } };
    sendMessage(program, { jsonrpc: "2.0", id: 2, method: "tools/call", params });
    program.endInput();
    const { status, stdout, stderr } = await program.ended;
    await close();
    rmSync(folder, { recursive: true });
    assert.equal(status, 0, stderr);
    const messages = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(messages.map(({ id }) => id), [1, 2]);
    assert.match(messages[1].result.content[0].text, /hello/);
    const records = stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(records.map(({ tool, client }) => [tool, client]), [["Read", "local"]]);
  });

  on("ends on SIGTERM, and prints its mistakes to stderr", async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-stdio-")));
    const args = ["--mcp", "--tools", "files-read", "--workspace-root", folder];
    const program = launch(withFiles(runtime, folder), args, {}, { input: true });
    sendMessage(program, INITIALIZE);
    await program.find(/"protocolVersion"/);
    program.kill("SIGTERM");
    assert.equal((await program.ended).status, 0);
    rmSync(folder, { recursive: true });

    const { status, stdout, stderr } = await launch(runtime, ["--mcp"]).ended;
    assert.deepEqual([status, stdout], [2, ""]);
    assert.equal(stderr, "Cannot serve tools over MCP: TOOLS is not set\n");
  });
}

/** Adds the permission to read a folder, which Deno needs. */
function withFiles(runtime: Runtime, folder: string): Runtime {
  const command = runtime.command.flatMap((word) =>
    word === "--allow-net" ? [word, `--allow-read=${folder}`] : [word]
  );
  return { ...runtime, command };
}

function sendMessage(program: Program, message: object): void {
  program.write(`${JSON.stringify(message)}\n`);
}

async function takePort(): Promise<{ port: number; close(): Promise<unknown> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : 0,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
