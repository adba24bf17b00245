import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MISSING, startRedis } from "../servers/redis_server.ts";
import { launch, OWN_PROGRAMS, RUNTIMES } from "./launch.ts";

const URL_LINE = /^ANTHROPIC_BASE_URL=(\S+)$/m;
const LIMITS = '{"each":{"requests":4}}';

async function ask(url: string): Promise<number> {
  const messages = [{ role: "user", content: "Hello" }];
  const body = JSON.stringify({ model: "demo/echo", max_tokens: 16, stream: true, messages });
  const headers = { "content-type": "application/json", connection: "close" };
  const response = await fetch(`${url}/v1/messages`, { method: "POST", headers, body });
  await response.text();
  return response.status;
}

test(
  "RATE_LIMIT_STORE shares the limits of gateways on all runtimes",
  { skip: MISSING, timeout: 60_000 },
  async () => {
    const password = "hidden-word";
    const redis = await startRedis({ password });
    const args = [
      "--port",
      "0",
      "--limits",
      LIMITS,
      "--rate-limit-store",
      `redis://:${password}@127.0.0.1:${redis.port}`,
    ];
    const programs = RUNTIMES.filter(({ missing }) => !missing).map((runtime) => launch(runtime, args));
    try {
      const urls = await Promise.all(programs.map((program) => program.find(URL_LINE)));
      const statuses = [];
      for (let nth = 0; nth < 6; nth++) statuses.push(await ask(urls[nth % urls.length] ?? ""));
      assert.deepEqual(statuses, [200, 200, 200, 200, 429, 429]);
    } finally {
      for (const program of programs) program.kill("SIGTERM");
      for (const { status, stdout, stderr } of await Promise.all(programs.map(({ ended }) => ended))) {
        assert.equal(status, 0, stderr);
        assert.equal(`${stdout}${stderr}`.includes(password), false);
      }
      await redis.stop();
    }
  },
);

for (const runtime of OWN_PROGRAMS) {
  const name = `mod.ts on ${runtime.name} keeps spend in STATE_DIR, or says why it cannot`;
  test(name, { skip: runtime.missing, timeout: 60_000 }, async () => {
    const root = mkdtempSync(join(tmpdir(), "state-"));
    const folder = join(root, "state");
    const program = launch(runtime, ["--port", "0", "--state-dir", folder]);
    if (runtime.name === "deno") {
      const why = "Deno was started without --allow-read and --allow-write for it";
      const { status, stdout, stderr } = await program.ended;
      assert.deepEqual([status, stdout, stderr], [2, "", `Cannot use STATE_DIR "${folder}": ${why}\n`]);
    } else {
      await program.find(URL_LINE);
      assert.ok(existsSync(join(folder, "spend.jsonl")));
      program.kill("SIGTERM");
      await program.ended;
    }
    rmSync(root, { recursive: true });
  });
}
