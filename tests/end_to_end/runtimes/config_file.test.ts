import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, OWN_PROGRAMS, type Runtime } from "./launch.ts";

for (const runtime of OWN_PROGRAMS.map(withFiles)) {
  test(
    `mod.ts on ${runtime.name} reads its configuration file again on SIGHUP and after a change`,
    { skip: runtime.missing, timeout: 60_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "config-"));
      const path = join(folder, "gateway.json");
      writeFileSync(join(folder, "admin"), "admin-0123456789abcdef\n");
      const writeConfig = (text: string) =>
        writeFileSync(path, `{\n  "PORT": 0, // any\n  "GATEWAY_ADMIN_KEY_FILE": "admin",\n  ${text}\n}\n`);
      writeConfig('"GATEWAY_API_KEYS": ["alice:alice-0123456789abcdef"],');
      const program = launch(runtime, ["--config", path]);
      let running = true;
      program.ended.then(() => running = false);
      try {
        const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
        const statusOf = async (key: string) => {
          const response = await fetch(`${url}/status`, { headers: { "x-api-key": key } });
          await response.text();
          return response.status;
        };
        assert.deepEqual(await Promise.all([...KEYS].map(statusOf)), [200, 401, 200]);

        writeConfig('"GATEWAY_API_KEYS": ["bob:bob-0123456789abcdef", ""],');
        process.kill(program.pid ?? 0, "SIGHUP");
        const mistake = await program.find(
          /invalid, nothing changed.*?(gateway\.json:4:\d+\): key 2 is empty)/,
        );
        assert.equal(mistake, "gateway.json:4:52): key 2 is empty");
        assert.deepEqual(await Promise.all([...KEYS].map(statusOf)), [200, 401, 200]);

        writeConfig('"GATEWAY_API_KEYS": ["bob:bob-0123456789abcdef"], "SHUTDOWN_TIMEOUT": 5');
        await program.find(/(settings changed that need a restart.*SHUTDOWN_TIMEOUT)/);
        assert.deepEqual(await Promise.all([...KEYS].map(statusOf)), [401, 200, 200]);
        program.kill("SIGTERM");
        assert.equal((await program.ended).status, 0);
      } finally {
        if (running) program.kill("SIGTERM");
        rmSync(folder, { recursive: true });
      }
    },
  );

  test(`mod.ts init on ${runtime.name} writes a file that can be used`, {
    skip: runtime.missing,
    timeout: 60_000,
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "init-"));
    const path = join(folder, "gateway.json");
    try {
      const first = await run(runtime, ["init", path], "sk-or-0123456789\nopenai/gpt-5\nyes\n");
      assert.match(first.output, /Key for clients: \w{24}\n/);
      assert.equal(statSync(path).mode & 0o077, 0);
      assert.ok(existsSync(join(folder, "gateway.schema.json")));
      const text = readFileSync(path, "utf8");
      const second = await run(runtime, ["init", path], "");
      assert.deepEqual([second.status, readFileSync(path, "utf8")], [2, text]);
      assert.match(second.output, /^Cannot write ".*": the file exists\n$/);
      const { stdout, status } = await launch(runtime, ["--check", "--config", path]).ended;
      assert.equal(status, 0);
      assert.match(stdout, /OPENROUTER_API_KEY +set \(16 characters\) \(.*gateway\.json:5:25\)/);
      assert.match(stdout, /HOST +0\.0\.0\.0 \(/);

      const ccr = join(folder, "config.json");
      writeFileSync(ccr, CCR_CONFIG);
      const converted = await run(runtime, ["init", "--from-ccr", ccr, join(folder, "other.json")], "");
      assert.equal(converted.status, 0, converted.output);
      assert.match(converted.output, /^Set the variable UNSET_KEY_OF_THE_TEST, which the file refers to$/m);
      assert.match(converted.output, /^ {2}PROXY_URL: the gateway connects to upstreams without a proxy$/m);
      assert.match(readFileSync(join(folder, "other.json"), "utf8"), /"url": "http:\/\/127\.0\.0\.1:9\/v1"/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

/** A configuration of claude-code-router. */
const CCR_CONFIG = `{
  "PROXY_URL": "http://127.0.0.1:1",
  "Providers": [{
    "name": "local",
    "api_base_url": "http://127.0.0.1:9/v1/chat/completions",
    "api_key": "$UNSET_KEY_OF_THE_TEST"
  }],
  "Router": { "default": "local,model" }
}`;

/** Keys of the test: those of two clients, and the admin's. */
const KEYS = ["alice-0123456789abcdef", "bob-0123456789abcdef", "admin-0123456789abcdef"];

/** Adds the permission to use files, which Deno needs. */
function withFiles(runtime: Runtime): Runtime {
  const command = runtime.command.flatMap((word) =>
    word === "--allow-net" ? [word, "--allow-read", "--allow-write"] : [word]
  );
  return { ...runtime, command };
}

/** Runs the program with an input, and returns its output. */
async function run({ command: [file = "", ...words] }: Runtime, args: string[], input: string) {
  const cwd = fileURLToPath(new URL("../../../", import.meta.url));
  const child = spawn(file, [...words, ...args], { cwd, stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => void (output += text));
  }
  child.stdin.end(input);
  const [status] = await once(child, "close");
  return { status, output };
}
