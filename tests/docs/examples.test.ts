import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import hono from "../../docs/examples/hono.ts";
import workers from "../../docs/examples/workers.ts";
import { serve } from "../../lib/runtime/serve.ts";
import { createGateway } from "../../mod.ts";
import { launch, type Runtime, RUNTIMES } from "../end_to_end/runtimes/launch.ts";
import { ROOT } from "./pages.ts";

const KEY = "a-key-of-alice-1234";

/** The examples that are servers: the runtime that each is for, and its command, by which its first line says. */
const SERVERS: Record<string, { runtime: string; words: string[] }> = {
  "bun.ts": { runtime: "bun", words: ["run"] },
  "deno.ts": { runtime: "deno", words: ["run", "--no-prompt", "--allow-net", "--allow-env=PORT"] },
  "node.ts": { runtime: "node with tsx", words: ["--import", "tsx"] },
};

/** The line by which a server says where it listens. */
const URL_LINE = /(?:Listening on|Started (?:development )?server:) (http:\/\/[^\s/]+)/;

for (const [name, { runtime, words }] of Object.entries(SERVERS)) {
  const { command, readsEnv, missing } = findRuntime(runtime);
  const [file = ""] = command;

  test(`docs/examples/${name} answers on ${runtime}`, { skip: missing, timeout: 60_000 }, async () => {
    const example = `docs/examples/${name}`;
    const program = launch({ name, missing, readsEnv, command: [file, ...words, example] }, [], {
      PORT: "0",
    });
    const url = await program.find(URL_LINE);
    await assertEcho(await fetch(toRequest(`${url}/v1/messages`)));
    program.kill("SIGTERM");
    await program.ended;
  });
}

test("docs/examples/hono.ts answers below its path", async () => {
  assert.equal((await hono.fetch(new Request("http://127.0.0.1/"))).status, 200);
  await assertEcho(await hono.fetch(toRequest("http://127.0.0.1/ai/v1/messages")));
});

test("docs/examples/workers.ts answers with the settings of its bindings", async () => {
  const bindings = { OPENROUTER_API_KEY: "sk-or-test", GATEWAY_API_KEYS: `alice:${KEY}` };
  const url = "http://127.0.0.1/v1/messages";
  await assertEcho(await workers.fetch(toRequest(url, { "x-api-key": KEY }), bindings));
  assert.equal((await workers.fetch(toRequest(url), bindings)).status, 401);
  assert.equal((await workers.fetch(new Request("http://127.0.0.1/health"), bindings)).status, 404);
});

test("docs/examples/deno.ts passes the type check of Deno", {
  skip: findRuntime("deno").missing,
  timeout: 60_000,
}, () => {
  const [deno = ""] = findRuntime("deno").command;
  const { status, stderr } = spawnSync(deno, ["check", "docs/examples/deno.ts"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
});

const missingCurl = spawnSync("curl", ["--version"]).status === 0 ? false : "no curl";

test("docs/examples/statusline.sh prints what Claude Code's session has used, or its model", {
  skip: missingCurl,
  timeout: 60_000,
}, async () => {
  const settings = { GATEWAY_API_KEYS: `alice:${KEY}`, LOG_LEVEL: "off" } as const;
  const server = await serve(createGateway({ settings }), { port: 0, host: "127.0.0.1" });
  try {
    const request = toRequest(`${server.url}/v1/messages`, {
      "x-api-key": KEY,
      "x-claude-code-session-id": "s-1",
    });
    await assertEcho(await fetch(request));
    const lineOf = async (session: string) =>
      await runStatusLine(
        { session_id: session, cwd: "/", model: { id: "demo/echo", display_name: "Echo" } },
        { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_AUTH_TOKEN: KEY },
      );
    assert.match(await lineOf("s-1"), /^demo\/echo · \d+ in, \d+ out · \$0\.00\n$/);
    assert.equal(await lineOf("s-2"), "demo/echo\n");
  } finally {
    await server.stop();
  }
});

/** Runs the status line as Claude Code does: with JSON at its standard input. */
async function runStatusLine(input: object, variables: Record<string, string>): Promise<string> {
  const env = { PATH: process.env.PATH, ...variables };
  const child = spawn("sh", [`${ROOT}docs/examples/statusline.sh`], {
    env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify(input, null, 2));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
  await new Promise((resolve) => child.on("close", resolve));
  return output;
}

test("every file of docs/examples/ has a test", () => {
  const tested = [...Object.keys(SERVERS), "hono.ts", "workers.ts", "statusline.sh"];
  assert.deepEqual(readdirSync(`${ROOT}docs/examples`).sort(), tested.sort());
});

function toRequest(url: string, headers: Record<string, string> = {}): Request {
  const body = { model: "demo/echo", max_tokens: 64, messages: [{ role: "user", content: "hello there" }] };
  return new Request(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

async function assertEcho(response: Response): Promise<void> {
  assert.equal(response.status, 200);
  const { type, content } = await response.json();
  assert.equal(type, "message");
  assert.match(content[0].text, /hello there/);
}

function findRuntime(name: string): Runtime {
  const runtime = RUNTIMES.find((known) => known.name === name);
  assert.ok(runtime !== undefined, `there is no runtime ${name}`);
  return runtime;
}
