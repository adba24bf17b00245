import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../../lib/base/version.ts";
import { launch, OWN_PROGRAMS, type Program } from "./launch.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const URL_LINE = /^ANTHROPIC_BASE_URL=(\S+)$/m;

for (const runtime of OWN_PROGRAMS) {
  const on = (does: string, run: () => Promise<void>) =>
    test(`mod.ts on ${runtime.name} ${does}`, { skip: runtime.missing, timeout: 60_000 }, run);

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    on(`serves, and ends with status 0 on ${signal}`, async () => {
      const program = launch(runtime, ["--port", "0"]);
      const url = await program.find(URL_LINE);
      const response = await fetch(`${url}/health`);
      await response.text();
      program.kill(signal);
      const { status, stdout, stderr } = await program.ended;
      assert.deepEqual([response.status, status], [200, 0], stderr);
      assert.equal(stdout.split("\n").length, 3, stdout);
    });
  }

  on("answers a message and writes only its log to stderr", async () => {
    const program = launch(runtime, ["--port", "0"]);
    const url = await program.find(URL_LINE);
    const body = { model: "demo/echo", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", headers, body: JSON.stringify(body) };
    const { type } = await (await fetch(`${url}/v1/messages`, request)).json();
    program.kill("SIGTERM");
    const { stderr } = await program.ended;
    const records = stderr.trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(type, "message");
    assert.ok(records.some(({ model }) => model === "demo/echo"), stderr);
  });

  on("prints its address, its upstream and that it has no key", async () => {
    const others = ["--upstreams", '{"local": {"url": "http://127.0.0.1:9/v1"}}'];
    const args = ["--port", "0", "--upstream", "http://127.0.0.1:9/v1", ...others];
    const { stdout } = await served(runtime, args, { OPENROUTER_API_KEY: "" });
    assert.match(stdout, /^Models of other upstreams: local\/…$/m);
    assert.match(
      stdout,
      /^Listening on http:\/\/127\.0\.0\.1:\d+, forwarding to http:\/\/127\.0\.0\.1:9\/v1 /,
    );
    assert.match(stdout, /each client's key; model demo\/echo needs no key\n/);
  });

  on(`${runtime.readsEnv ? "reads" : "does not read"} the environment`, async () => {
    const { stdout } = await served(runtime, ["--port", "0"], { OPENROUTER_API_KEY: "sk-or-v1-0123456789" });
    assert.equal(stdout.includes(" with the gateway's key\n"), runtime.readsEnv, stdout);
    assert.equal(stdout.includes("0123456789"), false);
  });

  on("prints its settings for --check", async () => {
    const { status, stdout, stderr } = await launch(runtime, ["--check", "--log-level=WARN"]).ended;
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^ +PORT +4000 \(default\)\n/);
    assert.match(stdout, /^ +LOG_LEVEL +warn \(--log-level\)$/m);
  });

  on("prints its settings and every mistake for --check", async () => {
    const { status, stdout, stderr } = await launch(runtime, ["--check", "--port=x", "--hots=y"]).ended;
    assert.equal(status, 2);
    assert.match(stdout, /^ +PORT +invalid \(--port\)\n/);
    assert.equal(stderr, MISTAKES);
  });

  on("exits with status 2 and prints every mistake", async () => {
    const { status, stdout, stderr } = await launch(runtime, ["--port=x", "--hots=y"]).ended;
    assert.deepEqual([status, stdout, stderr], [2, "", MISTAKES]);
  });

  on("prints all flags for --help", async () => {
    const { status, stdout, stderr } = await launch(runtime, ["--help", "--port=x"]).ended;
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^ {2}--upstream VALUE .*OPENROUTER_BASE_URL/m);
  });

  on("prints its version for --version", async () => {
    const { status, stdout, stderr } = await launch(runtime, ["--version"]).ended;
    assert.deepEqual([status, stdout, stderr], [0, `${VERSION}\n`, ""]);
  });

  // Deno resolves imports from the folder of the link.
  if (runtime.name !== "deno") {
    on("starts through a symbolic link, as npm creates for programs", async () => {
      const folder = mkdtempSync(join(tmpdir(), "link-"));
      const program = runtime.command.at(-1) ?? "";
      const link = join(folder, `gateway${extname(program)}`);
      symlinkSync(resolve(ROOT, program), link);
      const command = [...runtime.command.slice(0, -1), link];
      const { stdout, stderr } = await launch({ ...runtime, command }, ["--version"]).ended;
      rmSync(folder, { recursive: true });
      assert.deepEqual([stdout, stderr], [`${VERSION}\n`, ""]);
    });
  }

  on("ends with status 2 if DATA_URL cannot be reached", async () => {
    const args = ["--port", "0", "--data-url", "postgres://user:password@127.0.0.1:1/gateway"];
    const { status, stdout, stderr } = await launch(runtime, args).ended;
    assert.match(stderr, /^Cannot use DATA_URL "postgres:\/\/127\.0\.0\.1:1\/gateway": /m);
    assert.deepEqual([status, stdout], [2, ""]);
  });

  on("reports in one line that its port is in use", async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, "127.0.0.1", () => {
        const address = other.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      });
    });
    const { status, stdout, stderr } = await launch(runtime, ["--port", String(port)]).ended;
    await new Promise((resolve) => other.close(resolve));
    assert.equal(
      stderr,
      `Cannot listen on "127.0.0.1:${port}": the port is in use, --port selects another\n`,
    );
    assert.deepEqual([status, stdout], [1, ""]);
  });
}

const MISTAKES = `Cannot use flag "--hots": unknown flag, the nearest is --host
Cannot use PORT "x" (--port): expected a whole number from 0 to 65535
`;

/** Starts a server, stops it, and returns its output. */
async function served(...start: Parameters<typeof launch>): Program["ended"] {
  const program = launch(...start);
  await program.find(URL_LINE);
  program.kill("SIGTERM");
  return program.ended;
}
