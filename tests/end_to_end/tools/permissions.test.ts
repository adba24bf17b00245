import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { dig } from "../../kit/json.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const DENO = process.execPath;
const skip = process.versions["deno"] === undefined && "the tests on Deno check its permissions";

/** The tests of each profile of `deno.json`: those of its groups of tools. */
const PROFILES: Record<string, readonly string[]> = {
  "tools-files": ["files", "loop"],
  "tools-shell": ["files", "shell"],
  "tools-network": ["network", "web"],
  "tools": ["all"],
};

test("deno.json has no tool profile without a test", () => {
  const profiles = dig(JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8")), "permissions");
  // The profile for reading does not suffice for the tests of files, which write files first.
  const known = [...Object.keys(PROFILES), "tools-read"];
  assert.deepEqual(Object.keys(Object(profiles)).sort(), known.sort());
});

for (const [profile, files] of Object.entries(PROFILES)) {
  test(`the permissions of ${profile} suffice for the tests of ${files.join(" and ")}`, { skip }, () => {
    const base = realpathSync(mkdtempSync(join(tmpdir(), "base-")));
    const paths = [`--allow-read=${base}`, `--allow-write=${base}`];
    const tests = files.map((name) => `tests/end_to_end/tools/${name}.test.ts`);
    const args = ["test", "--no-prompt", "--no-check", `-P=${profile}`, ...paths, ...tests];
    try {
      const { status, stdout, stderr } = spawnSync(DENO, [...args, "--", `--base=${base}`], {
        cwd: ROOT,
        encoding: "utf8",
        timeout: 120_000,
        env: { ...process.env, NO_COLOR: "1" },
      });
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /\nok \| [1-9]\d* passed \| 0 failed/);
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  });
}

test("the permissions of tools-read suffice to read the workspace for a model", { skip }, () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "base-")));
  const program = fileURLToPath(new URL("read_program.ts", import.meta.url));
  try {
    const args = [
      "run",
      "--no-prompt",
      "--no-check",
      "-P=tools-read",
      `--allow-read=${base}`,
      program,
      base,
    ];
    const { stdout, stderr } = spawnSync(DENO, args, { cwd: ROOT, encoding: "utf8" });
    assert.equal(stdout, "The tool answered: (empty)\n", stderr);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
