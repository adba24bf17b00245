import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { runProgram } from "./program.ts";
import { PYTHON } from "./python_home.ts";
import { CLIENT_KEY, test } from "./stage.ts";

/** Runs a case of a script beside this file, led to a gateway; fails with what the script says when it fails. */
export async function runPython(script: string, args: string[], { url }: { url: string }): Promise<void> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const run = await runProgram(PYTHON, ["-B", path, ...args], {
    cwd: tmpdir(),
    env: { HOME: tmpdir(), ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: CLIENT_KEY },
  });
  assert.equal(
    run.code,
    0,
    `${script} ${args.join(" ")} ended with ${run.code}:\n${run.stderr}${run.stdout}`,
  );
  assert.deepEqual(run.sought, []);
}

/** Declares a test that waits for Python, which takes its time to begin. */
export function testPython(name: string, run: () => Promise<void>): void {
  test(name, run, 90);
}
