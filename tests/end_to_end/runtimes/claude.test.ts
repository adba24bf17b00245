import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { launch, OWN_PROGRAMS, type Runtime } from "./launch.ts";

/** Replacement for Claude Code: prints its arguments and the answer to a message, and waits for SIGTERM. */
const STAND_IN = `#!/usr/bin/env node
const { readFileSync } = require("node:fs");
const { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: token, ANTHROPIC_API_KEY: key, WEB_SEARCH_KEY: secret } = process.env;
const [, , flag, path, ...args] = process.argv;
const settings = JSON.parse(readFileSync(path, "utf8"));
process.on("SIGTERM", () => process.exit(9));
const ask = (headers) => fetch(url + "/v1/messages", {
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ model: settings.model, max_tokens: 99, messages: [{ role: "user", content: "hello" }] }),
});
Promise.all([ask({ authorization: "Bearer " + token }), ask({})]).then(async ([answered, refused]) => {
  const { content } = await answered.json();
  const given = { flag, path, settings, args, key, secret, text: content[0].text, refused: refused.status };
  console.log("GIVEN " + JSON.stringify(given));
  setInterval(() => {}, 1000);
});
`;

for (const runtime of OWN_PROGRAMS.map(withAll)) {
  test(
    `mod.ts claude on ${runtime.name} starts a gateway for Claude Code, and passes on signals and its status`,
    { skip: runtime.missing, timeout: 60_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "claude-"));
      writeFileSync(join(folder, "claude"), STAND_IN);
      chmodSync(join(folder, "claude"), 0o755);
      // LOG_LEVEL of the file does not apply to the gateway of Claude Code: a line of log would fail the check of
      // stderr.
      const config = join(folder, "gateway.json");
      writeFileSync(config, '{ "PORT": 0, "LOG_LEVEL": "debug" }');
      try {
        const program = launch(
          runtime,
          ["claude", "--config", config, "--", "-p", "a b", "--settings", '{"model": "demo/echo", "x": 1}'],
          { PATH: `${folder}:${process.env["PATH"]}`, ANTHROPIC_API_KEY: "other", WEB_SEARCH_KEY: "secret" },
        );
        const { path, text, key, secret, ...given } = JSON.parse(await program.find(/GIVEN (.*)\n/));
        assert.deepEqual(given, {
          flag: "--settings",
          args: ["-p", "a b"],
          refused: 401,
          settings: {
            model: "demo/echo",
            modelPicker: {
              options: [{
                model: "demo/echo",
                description: "Repeats your words; needs no key",
                behavesAs: "claude-sonnet-4-6",
              }],
              replaceBuiltInOptions: true,
            },
            x: 1,
          },
        });
        assert.deepEqual([key, secret], [undefined, undefined]);
        assert.match(text, /You said: hello/);
        program.kill("SIGTERM");
        const { status, stderr } = await program.ended;
        assert.equal(status, 9, stderr);
        assert.match(stderr, /^No key for a model is set .*\n$/);
        assert.equal(existsSync(path), false);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  test(`mod.ts claude on ${runtime.name} explains how to install Claude Code`, {
    skip: runtime.missing,
    timeout: 60_000,
  }, async () => {
    const [file = "", ...words] = runtime.command;
    const folder = mkdtempSync(join(tmpdir(), "claude-"));
    try {
      const program = launch({ ...runtime, command: [pathOf(file), ...words] }, ["claude", "--port", "0"], {
        PATH: folder,
      });
      const { status, stderr } = await program.ended;
      assert.equal(status, 2, stderr);
      assert.match(
        stderr,
        /^Cannot start Claude Code: no program "claude" .*npm install -g @anthropic-ai\/claude-code"$/m,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

for (const runtime of OWN_PROGRAMS.filter(({ command }) => command.includes("--allow-net"))) {
  test(`mod.ts claude and init on ${runtime.name} name the permission that they lack`, {
    skip: runtime.missing,
  }, async () => {
    const claude = await launch(runtime, ["claude", "--port", "0"]).ended;
    assert.equal(claude.status, 2, claude.stderr);
    assert.match(
      claude.stderr,
      /^Cannot start Claude Code: Deno was started without --allow-env; --allow-all is needed$/m,
    );
    const init = await launch(runtime, ["init", "new.json"]).ended;
    assert.deepEqual([init.status, init.stderr], [
      2,
      'Cannot write "new.json": Deno was started without the permission for this file\n',
    ]);
  });
}

test("mod.ts claude explains where arguments of Claude Code belong", async () => {
  const [runtime] = OWN_PROGRAMS.map(withAll);
  assert.ok(runtime !== undefined);
  const { status, stderr } = await launch(runtime, ["claude", "-p", "hello"], {}).ended;
  assert.equal(status, 2);
  assert.match(stderr, /^Arguments of Claude Code follow --, as in: claude -- -p hello$/m);
});

test("mod.ts env rejects an unknown shell", async () => {
  const [runtime] = OWN_PROGRAMS.map(withAll);
  assert.ok(runtime !== undefined);
  const { status, stderr } = await launch(runtime, ["env", "--shell", "tcsh"], {}).ended;
  assert.equal(status, 2);
  assert.match(stderr, /^Cannot use flag "--shell": expected bash, zsh, fish or powershell$/m);
});

test("mod.ts env prints lines that a shell can evaluate", async () => {
  const [runtime] = OWN_PROGRAMS.map(withAll);
  assert.ok(runtime !== undefined);
  const args = ["env", "--shell", "fish", "--port", "9", "--host", "::", "--model", "it's"];
  const { status, stdout } = await launch(runtime, args, { GATEWAY_API_KEYS: "a:0123456789abcdef" }).ended;
  assert.equal(status, 0);
  assert.match(stdout, /^set -e ANTHROPIC_API_KEY$/m);
  assert.match(stdout, /^set -gx ANTHROPIC_BASE_URL 'http:\/\/\[::1\]:9'$/m);
  assert.match(stdout, /^set -gx ANTHROPIC_AUTH_TOKEN '0123456789abcdef'$/m);
  assert.match(stdout, /^set -gx ANTHROPIC_MODEL 'it\\'s'$/m);
});

/** A runtime with all permissions, which Deno needs to start programs. */
function withAll(runtime: Runtime): Runtime {
  return {
    ...runtime,
    command: runtime.command.map((word) => word === "--allow-net" ? "--allow-all" : word),
  };
}

function pathOf(file: string): string {
  if (file.includes("/")) return file;
  const folders = (process.env["PATH"] ?? "").split(":");
  return folders.map((folder) => join(folder, file)).find((path) => existsSync(path)) ?? file;
}
