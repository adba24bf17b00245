import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { VERSION } from "../lib/base/version.ts";

const npm = readJson("package.json");
const deno = readJson("deno.json");
const lock = readJson("package-lock.json");
const denoLock = readJson("deno.lock");
const root = fileURLToPath(new URL("../", import.meta.url));

test("package.json, deno.json and the program have the same version and licence", () => {
  assert.deepEqual([npm.version, deno.version, lock.version], [VERSION, VERSION, VERSION]);
  assert.equal(npm.license, deno.license);
});

test("package.json exports what deno.json exports, compiled", () => {
  const toBuilt = (source: string, end: string) => source.replace("./", "./dist/").replace(/\.ts$/, end);
  const expected = Object.entries<string>(deno.exports).map(([name, source]) =>
    [name, { types: toBuilt(source, ".d.ts"), default: toBuilt(source, ".js") }] as const
  );
  const { "./package.json": _own, ...exported } = npm.exports;
  assert.deepEqual(exported, Object.fromEntries(expected));
});

test("deno.json imports the dependencies of package.json in the same versions", () => {
  const wanted: Record<string, string> = { ...npm.dependencies, ...npm.devDependencies };
  const imports = Object.entries<string>(deno.imports);
  assert.notEqual(imports.length, 0);
  for (const [specifier, target] of imports) {
    const [name = "", subpath = ""] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(specifier)?.slice(1) ?? [];
    const path = subpath === "/" ? `npm:/${name}@${wanted[name]}/` : `npm:${name}@${wanted[name]}${subpath}`;
    assert.equal(target, path);
  }
  for (const name of Object.keys(npm.dependencies)) {
    if (name !== "esbuild") assert.ok(name in deno.imports, `deno.json does not import ${name}`);
  }
});

// npm omits optional packages of other systems that it could not find from the lock, and `npm ci` rejects that lock.
test("package-lock.json has every optional package of every system", () => {
  const entries = Object.entries<{ optionalDependencies?: object }>(lock.packages);
  const wanted = entries.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
  assert.notEqual(wanted.length, 0);
  assert.deepEqual(wanted.filter((name) => !(`node_modules/${name}` in lock.packages)), []);
});

test("package-lock.json names no registry", () => {
  assert.equal(/"resolved"/.test(JSON.stringify(lock)), false);
});

test("the tests use no package that is missing in deno.lock", () => {
  assert.notEqual(deno.lock, false);
  const scripts = Object.entries<string>(npm.scripts);
  const running = scripts.filter(([name, script]) =>
    name !== "lock" && /\bdeno (test|cache|check) /.test(script)
  );
  assert.ok(running.length >= 4);
  for (const [name, script] of running) {
    for (const call of script.match(/\bdeno (?:test|cache|check) \S+/g) ?? []) {
      assert.match(call, / --frozen$/, `${name}: ${call}`);
    }
  }
});

const UPDATE = 'run "npm run lock", and commit deno.lock';

test("deno.lock has every import of deno.json and every package of package.json", () => {
  const { dependencies, packageJson } = denoLock.workspace;
  assert.deepEqual(toNames(dependencies), [...new Set(toNames(Object.values(deno.imports)))].sort(), UPDATE);
  const packages = Object.keys({ ...npm.dependencies, ...npm.devDependencies }).sort();
  assert.deepEqual(toNames(packageJson.dependencies), packages, UPDATE);
  const missing = toNames(dependencies).filter((name) =>
    !toNames(Object.keys(denoLock.specifiers)).includes(name)
  );
  assert.deepEqual(missing, [], UPDATE);
});

// Deno downloads every package of its lock at the first start. `deno install` adds the development packages to it.
test("deno.lock has no package that only scripts of npm use", () => {
  const imported = toNames(Object.values(deno.imports));
  const others = toNames(Object.keys(denoLock.specifiers)).filter((name) => !imported.includes(name));
  assert.deepEqual(others, [], `delete deno.lock, ${UPDATE}`);
});

test("deno.lock names no registry", () => {
  assert.equal(/https?:/.test(JSON.stringify(denoLock)), false);
});

const PACKED = [
  "dist/mod.js",
  "dist/lib/worker.d.ts",
  "docs/examples/hono.ts",
  "docs/gateway.schema.json",
  "SECURITY.md",
];
const UNPACKED = [
  ".env",
  ".env.production",
  "dist/lib/.env",
  "lib/worker.ts",
  "mod.ts",
  "docs/.env",
  "tests/package.test.ts",
  "tests/.env",
  "coverage/index.html",
  "state/spend.jsonl",
  "npm-debug.log",
  ".ci/run",
];

test("npm pack includes the program and its documentation, neither tests nor a stray .env", () => {
  const folder = mkdtempSync(join(tmpdir(), "gateway-pack-"));
  try {
    cpSync(join(root, "package.json"), join(folder, "package.json"));
    for (const path of [...PACKED, ...UNPACKED]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), "x");
    }
    assert.deepEqual(listPacked(folder), [...PACKED, "package.json"].sort());
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Paths of the package that `npm pack` would write. */
function listPacked(folder: string): string[] {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ files }]: [{ files: { path: string }[] }] = JSON.parse(output);
  return files.map(({ path }) => path).sort();
}

/** Names of packages in specifiers such as `npm:@scope/name@^1.2.3` and `npm:/name@1/`. */
function toNames(specifiers: readonly string[]): string[] {
  return specifiers.map((specifier) => specifier.replace(/^npm:\/?/, "").replace(/(?<=.)@.*$/, "")).sort();
}

function readJson(name: string) {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));
}
