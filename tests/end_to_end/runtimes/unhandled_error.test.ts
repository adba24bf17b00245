import assert from "node:assert/strict";
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
}
