import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { launch, OWN_RUNTIMES } from "./launch.ts";

for (const runtime of OWN_RUNTIMES) {
  test(`the program on ${runtime.name} survives an unhandled error, logs it, counts it and reports it`, {
    skip: runtime.missing,
    timeout: 60_000,
  }, async () => {
    const command = [...runtime.command.slice(0, -1), "tests/end_to_end/runtimes/unhandled_error.ts"];
    const { status, stdout, stderr } = await launch({ ...runtime, command }, []).ended;
    assert.equal(stdout, "healthy 0\ndegraded 2\n", stderr);
    assert.equal(status, 0);
    const lines = stderr.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ level, message }) => [level, message]), [
      ["ERROR", "unhandled error"],
      ["ERROR", "unhandled error"],
    ]);
    assert.deepEqual(lines.map(({ error }) => error).sort(), [
      "Error: in a callback",
      "Error: in a promise, with [redacted]",
    ]);
  });

  test(`the program on ${runtime.name} answers after the reader of its output has closed the pipe`, {
    skip: runtime.missing,
    timeout: 60_000,
  }, async () => {
    const [file = "", ...words] = runtime.command;
    const cwd = fileURLToPath(new URL("../../../", import.meta.url));
    const child = spawn(file, [...words, "--port", "0"], { cwd, stdio: ["ignore", "pipe", "pipe"] });
    try {
      let output = "";
      const url = await new Promise<string>((resolve) =>
        child.stdout.setEncoding("utf8").on("data", (text) => {
          output += text;
          const [, found] = /^ANTHROPIC_BASE_URL=(\S+)$/m.exec(output) ?? [];
          if (found !== undefined) resolve(found);
        })
      );
      child.stdout.destroy();
      child.stderr.destroy();
      const messages = [{ role: "user", content: "Hello" }];
      const body = JSON.stringify({ model: "demo/none", max_tokens: 16, messages }); // the refusal is logged at once
      const headers = { "content-type": "application/json" };
      for (let nth = 0; nth < 3; nth++) {
        const answer = await fetch(`${url}/v1/messages`, { method: "POST", headers, body });
        assert.equal(answer.status, 404);
        await answer.text();
      }
      const metrics = await (await fetch(`${url}/metrics`)).text();
      assert.match(metrics, /^gateway_unhandled_errors_total 0$/m);
    } finally {
      child.kill("SIGKILL");
    }
  });
}
