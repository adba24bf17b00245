import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startWeb } from "../tools/network.ts";
import { launch, OWN_PROGRAMS } from "./launch.ts";
import { readMessages } from "../../server/mcp_server/mcp_gateway.ts";

const KEY = "key-of-alice-1234567890";

for (const runtime of OWN_PROGRAMS) {
  const name = `POST /mcp on ${runtime.name} runs a tool, and cancels it when the client disconnects`;
  test(name, { skip: runtime.missing, timeout: 60_000 }, async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "mcp-http-")));
    const web = await startWeb();
    // Deno needs permissions for tools.
    const permissions = [`--allow-read=${folder}`, "--allow-sys=ca", "--allow-env=NODE_USE_SYSTEM_CA"];
    const command = runtime.command.flatMap((word) =>
      word === "--allow-net" ? [word, ...permissions] : [word]
    );
    const tools = ["--tools", "network", "--workspace-root", folder, "--web-fetch-allow-hosts", web.host];
    const program = launch({ ...runtime, command }, [
      "--port",
      "0",
      "--gateway-keys",
      `alice:${KEY}`,
      ...tools,
    ]);
    const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
    const call = (path: string, signal?: AbortSignal) =>
      fetch(`${url}/mcp`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          authorization: `Bearer ${KEY}`,
        },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          method: "tools/call",
          params: { name: "WebFetch", arguments: { url: `http://${web.host}${path}` } },
        }),
        ...(signal && { signal }),
      });
    const [{ result }] = await readMessages(await call("/bees"));
    assert.match(result.content[0].text, /figure of eight/);

    const arrived = web.next("/slow");
    const controller = new AbortController();
    const response = await call("/slow", controller.signal);
    const { left } = await arrived;
    controller.abort();
    await left;
    await assert.rejects(response.text());
    program.kill("SIGTERM");
    const { status, stderr } = await program.ended;
    assert.equal(status, 0, stderr);
    const records = stderr.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(records.filter(({ tool }) => tool).map(({ outcome }) => outcome), ["ok", "cancelled"]);
    await web.close();
    rmSync(folder, { recursive: true });
  });
}
