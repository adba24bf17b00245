import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PRELOAD = fileURLToPath(new URL("untracked_promises.mjs", import.meta.url));
const SKIP = "Deno" in globalThis || "Bun" in globalThis ? "it is for Node.js only" : false;

const SOURCE = `import { test } from "node:test";
test("ends before its error", () => {
  setImmediate(() => void Promise.reject(new Error("rejected late")));
  setImmediate(() => { throw new Error("thrown late"); });
});
`;

test("untracked_promises.mjs shows where an error outside a test comes from", { skip: SKIP }, () => {
  const directory = mkdtempSync(join(tmpdir(), "untracked-"));
  try {
    const file = join(directory, "late.test.mjs");
    writeFileSync(file, SOURCE);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { status, stdout } = spawnSync(process.execPath, ["--import", PRELOAD, "--test", file], { env });
    assert.equal(status, 1);
    assert.match(String(stdout), /Error: rejected late\n.*late\.test\.mjs:3:/);
    assert.match(String(stdout), /Error: thrown late\n.*late\.test\.mjs:4:/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
