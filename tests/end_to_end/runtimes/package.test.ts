import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../../lib/base/version.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const BIN = join(ROOT, "node_modules/.bin");

/** The commands that run a file on each runtime. Deno resolves packages in `node_modules`, as the others do. */
const RUNTIMES: Record<string, string[]> = {
  node: [process.execPath],
  deno: [join(BIN, "deno"), "run", "--no-prompt", "--allow-all", "--node-modules-dir=manual"],
  bun: [join(BIN, "bun"), "run"],
};

/** A program that imports the package: sends a message to the embedded model, and reads the health of the worker. */
const PROGRAM = `
import { createGateway } from "openrouter-anthropic-server";
import worker from "openrouter-anthropic-server/worker";
const gateway = createGateway();
const body = { model: "demo/echo", max_tokens: 64, messages: [{ role: "user", content: "hello there" }] };
const headers = { "content-type": "application/json" };
const request = new Request("http://gateway/v1/messages", { method: "POST", headers, body: JSON.stringify(body) });
const { content } = await (await gateway.fetch(request)).json();
const { status } = await worker.fetch(new Request("http://gateway/health"), { LOG_LEVEL: "off" });
console.log(content[0].text, status);
`;

/** A file that uses the package's types. */
const TYPED = `
import { createGateway, type Gateway, type Settings } from "openrouter-anthropic-server";
import worker, { type Worker } from "openrouter-anthropic-server/worker";
const settings: Settings = { PORT: 1, LIMITS: { each: { requests: 1 } } };
export const gateway: Gateway = createGateway({ settings });
export const other: Worker = worker;
// @ts-expect-error: there is no such setting
createGateway({ settings: { PROT: 1 } });
`;

const OTHER_RUNTIME = process.versions["bun"] ?? process.versions["deno"];
const skip = OTHER_RUNTIME !== undefined && "the tests on Node.js run the package on every runtime";

describe("The package, packed and installed in an empty project", { skip }, () => {
  let project = "";

  before(() => {
    project = mkdtempSync(join(tmpdir(), "package-"));
    install(project);
  });
  after(() => rmSync(project, { recursive: true }));

  for (const [name, [file = "", ...words]] of Object.entries(RUNTIMES)) {
    test(`runs and can be imported on ${name}`, { timeout: 60_000 }, () => {
      const run = (...args: string[]) =>
        spawnSync(file, [...words, ...args], {
          cwd: project,
          encoding: "utf8",
          env: { ...process.env, NO_COLOR: "1" },
        });
      const program = run("node_modules/.bin/openrouter-anthropic-server", "--version");
      assert.deepEqual([program.stdout, program.status], [`${VERSION}\n`, 0], program.stderr);
      const imported = run("main.mjs");
      assert.match(imported.stdout, /You said: hello there 200\n$/, imported.stderr);
    });
  }

  test("has a program that the shell can start", () => {
    const program = join(project, "node_modules/.bin/openrouter-anthropic-server");
    assert.equal(execFileSync(program, ["--version"], { encoding: "utf8" }), `${VERSION}\n`);
  });

  test("has types", { timeout: 60_000 }, () => {
    const { stdout, status } = spawnSync(join(BIN, "tsc"), ["-p", "."], { cwd: project, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
});

/** Packs the package and installs it in a project as npm does, with links to its dependencies, without a network. */
function install(project: string): void {
  const output = execFileSync("npm", ["pack", "--json", "--pack-destination", project], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [{ filename }]: [{ filename: string }] = JSON.parse(output);
  const modules = join(project, "node_modules");
  const folder = join(modules, "openrouter-anthropic-server");
  mkdirSync(folder, { recursive: true });
  execFileSync("tar", ["-xzf", join(project, filename), "-C", folder, "--strip-components=1"]);
  const { bin, dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  for (const name of [...Object.keys(dependencies), "@types/node", "undici-types"]) {
    if (!existsSync(join(ROOT, "node_modules", name))) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  mkdirSync(join(modules, ".bin"));
  const [[name, program]] = Object.entries<string>(bin) as [[string, string]];
  execFileSync("chmod", ["+x", join(folder, program)]);
  symlinkSync(join(folder, program), join(modules, ".bin", name));
  writeFileSync(join(project, "package.json"), '{ "name": "project", "private": true, "type": "module" }');
  writeFileSync(join(project, "main.mjs"), PROGRAM);
  writeFileSync(join(project, "typed.ts"), TYPED);
  const compilerOptions = {
    module: "nodenext",
    target: "es2023",
    lib: ["es2024", "dom", "dom.iterable"],
    strict: true,
    noEmit: true,
    types: ["node"],
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["typed.ts"] }));
}
