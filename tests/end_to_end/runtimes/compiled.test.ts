import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../../lib/base/version.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const START = readJson(join(ROOT, "package.json")).scripts.start.split(" ").slice(1);
const CLONED = ["package.json", "package-lock.json", "mod.ts", "build", "lib", "tools"];

const OTHER_RUNTIME = process.versions["bun"] ?? process.versions["deno"];
const skip = OTHER_RUNTIME !== undefined && "only Node.js runs the compiled program";

describe("npm start in a clone", { skip, timeout: 60_000 }, () => {
  let clone = "";

  const start = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [...START, ...args], {
      cwd: clone,
      encoding: "utf8",
      env: {
        PATH: process.env.PATH,
        NO_COLOR: "1",
        GATEWAY_API_KEYS: "alice:alice-0123456789abcdef",
        PORT: "0",
      },
    });
    return { stdout, stderr, status };
  };

  before(() => {
    clone = mkdtempSync(join(tmpdir(), "clone-"));
    for (const name of CLONED) cpSync(join(ROOT, name), join(clone, name), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(clone, "node_modules"));
  });
  after(() => rmSync(clone, { recursive: true }));

  test("compiles the program, once", () => {
    assert.equal(existsSync(join(clone, "dist")), false);
    assert.deepEqual(start("--version"), { stdout: `${VERSION}\n`, stderr: "", status: 0 });
    const { mtimeMs } = statSync(join(clone, "dist/mod.js"));
    assert.deepEqual(start("--version"), { stdout: `${VERSION}\n`, stderr: "", status: 0 });
    assert.equal(statSync(join(clone, "dist/mod.js")).mtimeMs, mtimeMs);
  });

  test("compiles what each start loads into one file", () => {
    const loadedBy = (path: string) => {
      const text = readFileSync(join(clone, "dist", path), "utf8");
      return [...text.matchAll(/^(?:.* from |import )"(\.[^"]+)";$/gm)].map(([, name = ""]) => name);
    };
    const [start = "", ...others] = loadedBy("mod.js");
    assert.deepEqual(others, []);
    assert.deepEqual(loadedBy(start), []);
  });

  test("runs a changed source, also one that became older", () => {
    const path = join(clone, "lib/base/version.ts");
    const source = readFileSync(path, "utf8");
    writeFileSync(path, source.replace(VERSION, "9.9.9"));
    assert.equal(start("--version").stdout, "9.9.9\n");
    writeFileSync(path, source);
    utimesSync(path, new Date(0), new Date(0));
    assert.equal(start("--version").stdout, `${VERSION}\n`);
  });

  test("does not start while a source cannot be compiled", () => {
    const path = join(clone, "lib/base/version.ts");
    const source = readFileSync(path, "utf8");
    writeFileSync(path, "export const");
    const { stdout, stderr, status } = start("--version");
    assert.deepEqual([stdout, status], ["", 1]);
    assert.match(stderr, /version\.ts:1:12:/);
    assert.match(stderr, /\nCannot compile the program into ".*dist": its sources have mistakes\n$/);
    assert.doesNotMatch(stderr, /^ +at /m);
    writeFileSync(path, source);
    assert.equal(start("--version").stdout, `${VERSION}\n`);
  });

  test("compiles the program again if everything but its state was deleted", () => {
    for (const name of ["mod.js", "mod.js.map", "lib", "chunks"]) {
      rmSync(join(clone, "dist", name), { recursive: true });
    }
    assert.equal(start("--version").stdout, `${VERSION}\n`);
  });

  test("runs a program that was compiled at another path", () => {
    const moved = mkdtempSync(join(tmpdir(), "moved-"));
    try {
      cpSync(clone, moved, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      const { mtimeMs } = statSync(join(moved, "dist/mod.js"));
      const { stdout } = spawnSync(process.execPath, [...START, "--version"], {
        cwd: moved,
        encoding: "utf8",
      });
      assert.equal(stdout, `${VERSION}\n`);
      assert.equal(statSync(join(moved, "dist/mod.js")).mtimeMs, mtimeMs);
    } finally {
      rmSync(moved, { recursive: true });
    }
  });

  test("reports why the compiled program cannot be written", () => {
    const dist = join(clone, "dist");
    rmSync(dist, { recursive: true });
    writeFileSync(dist, "");
    const { stdout, stderr, status } = start("--version");
    assert.deepEqual([stdout, status], ["", 1]);
    assert.match(stderr, /^Cannot compile the program into ".*dist": Error: E\w+: .*\n$/);
    rmSync(dist);
    assert.equal(start("--version").stdout, `${VERSION}\n`);
  });

  test("keeps the program that another process compiles meanwhile", async () => {
    rmSync(join(clone, "dist"), { recursive: true });
    const compiling = [1, 2].map(async () => {
      const child = spawn(process.execPath, ["build/compile.mjs"], { cwd: clone });
      const [status] = await once(child, "exit");
      return status;
    });
    assert.deepEqual(await Promise.all(compiling), [0, 0]);
    assert.equal(start("--version").stdout, `${VERSION}\n`);
  });

  test("prevents tools from writing to the folder of its code", () => {
    for (const folder of ["lib", "dist/chunks", "build", "."]) {
      const { stderr, status } = start("--tools", "files-write", "--workspace-root", join(clone, folder));
      assert.match(stderr, /Cannot use WORKSPACE_ROOT .*: the gateway's own code is in it/, folder);
      assert.equal(status, 2);
    }
  });
});

function readJson(path: string) {
  return JSON.parse(readFileSync(path, "utf8"));
}
