import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const { prestart, pretest } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts;

const A = { version: "1.0.0", integrity: "sha512-a" };
const NEW_A = { version: "1.1.0", integrity: "sha512-new" };
const FOR_OTHER_SYSTEM = { version: "1.0.0", integrity: "sha512-o", optional: true };
const FAST_CHECK = { version: "1.0.0", integrity: "sha512-f", dev: true };
const WANTED = { "": {}, a: A, other: FOR_OTHER_SYSTEM, "node_modules/fast-check": FAST_CHECK };

const OTHER_RUNTIME = process.versions["bun"] ?? process.versions["deno"];
const skip = OTHER_RUNTIME !== undefined && "npm starts Node.js";

describe("the packages of a clone", { skip, timeout: 60_000 }, () => {
  let clone = "";

  before(() => {
    clone = mkdtempSync(join(tmpdir(), "install-"));
    cpSync(join(ROOT, "build"), join(clone, "build"), { recursive: true });
    writeFileSync(join(clone, "npm"), '#!/bin/sh\necho "npm $*"\nexit 3\n', { mode: 0o755 });
  });
  after(() => rmSync(clone, { recursive: true }));

  /** Runs a script in a clone with these packages, one of them deleted. Returns the calls of npm and the status. */
  function run(
    script: string,
    installed: object | undefined,
    { deleted }: { deleted?: string } = {},
  ): { stdout: string; status: number | null } {
    rmSync(join(clone, "node_modules"), { recursive: true, force: true });
    writeFileSync(join(clone, "package-lock.json"), JSON.stringify({ packages: WANTED }));
    if (installed !== undefined) {
      mkdirSync(join(clone, "node_modules"));
      writeFileSync(join(clone, "node_modules/.package-lock.json"), JSON.stringify({ packages: installed }));
      for (const path of Object.keys(installed)) mkdirSync(join(clone, path), { recursive: true });
      if (deleted !== undefined) rmSync(join(clone, deleted), { recursive: true });
    }
    const [command, ...args] = script.split(" ");
    assert.equal(command, "node");
    const PATH = `${clone}${delimiter}${process.env.PATH}`;
    const { stdout, status } = spawnSync(process.execPath, args, {
      cwd: clone,
      encoding: "utf8",
      env: { PATH },
    });
    return { stdout, status };
  }

  test("are installed if they are missing, and a failure of npm ends the start", () => {
    assert.deepEqual(run(prestart, undefined), { stdout: "npm ci --omit=dev\n", status: 3 });
    assert.deepEqual(run(pretest, undefined), { stdout: "npm ci --include=dev\n", status: 3 });
  });

  test("are installed again if one has another version or is missing", () => {
    assert.deepEqual(run(prestart, { a: NEW_A }), { stdout: "npm ci --omit=dev\n", status: 3 });
    assert.deepEqual(run(prestart, {}), { stdout: "npm ci --omit=dev\n", status: 3 });
  });

  test("are installed again if the folder of one was deleted", () => {
    assert.deepEqual(run(prestart, { a: A }, { deleted: "a" }), { stdout: "npm ci --omit=dev\n", status: 3 });
  });

  test("are not installed again if they match the lock", () => {
    assert.deepEqual(run(prestart, { a: A }), { stdout: "", status: 0 });
    const all = { a: A, "node_modules/fast-check": FAST_CHECK };
    assert.deepEqual(run(prestart, all), { stdout: "", status: 0 });
    assert.deepEqual(run(pretest, all), { stdout: "", status: 0 });
  });

  test("of the tests are installed for the tests, and kept", () => {
    assert.deepEqual(run(pretest, { a: A }), { stdout: "npm ci --include=dev\n", status: 3 });
    const old = { a: NEW_A, "node_modules/fast-check": FAST_CHECK };
    assert.deepEqual(run(prestart, old), { stdout: "npm ci --include=dev\n", status: 3 });
  });
});
