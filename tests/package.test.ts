import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { VERSION } from "../lib/base/version.ts";

const npm = readJson("package.json");
const deno = readJson("deno.json");
const lock = readJson("package-lock.json");

test("package.json, deno.json and the program have the same version and licence", () => {
  assert.deepEqual([npm.version, deno.version, lock.version], [VERSION, VERSION, VERSION]);
  assert.equal(npm.license, deno.license);
  assert.deepEqual(npm.exports, deno.exports);
});

test("deno.json imports the dependencies of package.json in the same versions", () => {
  const wanted: Record<string, string> = { ...npm.dependencies, ...npm.devDependencies };
  const imports = Object.entries<string>(deno.imports);
  assert.notEqual(imports.length, 0);
  for (const [specifier, target] of imports) {
    const name = specifier.replace(/\/$/, "");
    const path = specifier.endsWith("/") ? `npm:/${name}@${wanted[name]}/` : `npm:${name}@${wanted[name]}`;
    assert.equal(target, path);
  }
  for (const name of Object.keys(npm.dependencies)) {
    if (name !== "tsx") assert.ok(name in deno.imports, `deno.json does not import ${name}`);
  }
});

// npm leaves out of the lock what it could not find for other systems, and then `npm ci` refuses that lock.
test("package-lock.json has every optional package of every system", () => {
  const entries = Object.entries<{ optionalDependencies?: object }>(lock.packages);
  const wanted = entries.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies));
  assert.notEqual(wanted.length, 0);
  assert.deepEqual(wanted.filter((name) => !(`node_modules/${name}` in lock.packages)), []);
});

test("package-lock.json names no registry", () => {
  assert.equal(/"resolved"/.test(JSON.stringify(lock)), false);
});

function readJson(name: string) {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"));
}
