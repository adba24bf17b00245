import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { type ClientFolders, NO_CLAUDE_CODE } from "./claude_code.ts";
import { testWithFolders } from "./testbed.ts";
import { type Run, runProgram } from "../kit/program.ts";
import { NO_OWN_GATEWAY } from "../kit/testbed.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const BINARY = join(ROOT, "tests/clients/node_modules/@anthropic-ai/claude-code-linux-x64/claude");

/** How the program is started on each runtime. */
const RUNTIMES: Record<string, string[]> = {
  "Node.js": [process.execPath, "--import", import.meta.resolve("tsx")],
  "Deno": [join(ROOT, "node_modules/.bin/deno"), "run", "--no-prompt", "--allow-all"],
  "Bun": [join(ROOT, "node_modules/.bin/bun"), "run"],
};

describe("Claude Code, started by the gateway", { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY }, () => {
  for (const [name, command] of Object.entries(RUNTIMES)) {
    testWithFolders(
      `mod.ts claude on ${name} answers without a key and without a warning`,
      async (folders) => {
        const run = await runLauncher(command, folders, ["--", "-p", "hello there"]);
        assert.equal(run.code, 0, run.stderr);
        assert.match(run.stdout, /^This is demo\/echo, .* You said: hello there\n$/);
        assert.match(
          run.stderr,
          /^No key for a model is set \(OPENROUTER_API_KEY\): demo\/echo answers, [^\n]*\n$/,
        );
        assert.deepEqual(run.sought, []);
      },
    );
  }

  const [node = []] = Object.values(RUNTIMES);

  testWithFolders("mod.ts claude gives a model that Claude Code does not know a window", async (folders) => {
    const run = await runLauncher(node, folders, ["--model", "demo/echo", "--", "-p", "/context"]);
    assert.match(run.stdout, /\*\*Model:\*\* demo\/echo\s+\*\*Tokens:\*\* [\d.]+k \/ 200k/);
  });

  testWithFolders("mod.ts claude passes on the status of Claude Code", async (folders) => {
    const run = await runLauncher(node, folders, ["--", "-p", "hello", "--no-such-option"]);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /unknown option '--no-such-option'/);
  });
});

/** Runs `mod.ts claude` with Claude Code on the `PATH`. */
async function runLauncher(
  [file = "", ...words]: string[],
  folders: ClientFolders,
  args: string[],
): Promise<Run> {
  const bin = join(folders.home, "bin");
  mkdirSync(bin);
  symlinkSync(BINARY, join(bin, "claude"));
  return await runProgram(file, [...words, join(ROOT, "mod.ts"), "claude", "--port", "0", ...args], {
    cwd: folders.work,
    env: {
      PATH: `${bin}:${process.env["PATH"]}`,
      HOME: folders.home,
      ...(process.env["HOME"] &&
        { DENO_DIR: process.env["DENO_DIR"] ?? join(process.env["HOME"], ".cache/deno") }),
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DENO_NO_UPDATE_CHECK: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
    },
  });
}
