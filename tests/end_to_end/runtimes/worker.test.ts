import assert from "node:assert/strict";
import { test } from "node:test";
import { launch, OWN_RUNTIMES, type Runtime } from "./launch.ts";

/** Arguments with which a runtime serves the default export of a module. Node.js has none. */
const WAYS: Record<string, string[]> = {
  deno: ["serve", "--no-prompt", "--allow-net", "--allow-env", "--port=0", "--host=127.0.0.1"],
  bun: ["run"],
};

/** Line of output with the URL of the started server. */
const URL_LINE = /^(?:deno serve: Listening on|Started server:) (http:\/\/[^\s/]+)\/?$/m;

for (const { name, missing, command: [file = ""], readsEnv } of OWN_RUNTIMES) {
  const args = WAYS[name];
  if (args === undefined) continue;
  const runtime = { name, missing, readsEnv, command: [file, ...args, "lib/worker.ts"] };
  const options = { skip: missing, timeout: 60_000 };

  test(
    `lib/worker.ts on ${name} answers a message and writes only its log to stderr`,
    options,
    async () => {
      const { type, stderr } = await askWorker(runtime, {});
      assert.equal(type, "message");
      const lines = stderr.replace(URL_LINE, "").split("\n").filter(Boolean);
      assert.ok(lines.map((line) => JSON.parse(line)).some(({ model }) => model === "demo/echo"), stderr);
    },
  );

  test(`lib/worker.ts on ${name} logs every mistake and returns an error`, options, async () => {
    const { type, stderr } = await askWorker(runtime, { VALIDATION: "x", LOG_LEVEL: "y" });
    assert.equal(type, "error");
    const lines = stderr.split("\n").filter((line) => /^Cannot| at /.test(line));
    assert.deepEqual(lines.map((line) => line.replace(/: .*/, "")), [
      'Cannot use VALIDATION "x" (environment)',
      'Cannot use LOG_LEVEL "y" (environment)',
    ]);
  });
}

/** Starts the worker, sends it one message and stops it. Returns the type of the answer, and stderr. */
async function askWorker(runtime: Runtime, settings: Record<string, string>) {
  const program = launch(runtime, [], { PORT: "0", ...settings });
  const url = await program.find(URL_LINE);
  const body = { model: "demo/echo", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}/v1/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  const { type } = await response.json();
  program.kill("SIGTERM");
  const { stderr } = await program.ended;
  return { type, stderr };
}
