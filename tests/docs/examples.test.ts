import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import hono from "../../docs/examples/hono.ts";
import hooksAudit from "../../docs/examples/hooks_audit.ts";
import hooksGuard from "../../docs/examples/hooks_guard.ts";
import hooksRouting from "../../docs/examples/hooks_routing.ts";
import workers from "../../docs/examples/workers.ts";
import { serve } from "../../lib/runtime/http/serve.ts";
import { createGateway } from "../../mod.ts";
import { launch, type Runtime, RUNTIMES } from "../end_to_end/runtimes/launch.ts";
import { readPage, ROOT } from "./pages.ts";

const KEY = "a-key-of-alice-1234";

/** The examples that are servers: the runtime of each, and its arguments. */
const SERVERS: Record<string, { runtime: string; words: string[] }> = {
  "bun.ts": { runtime: "bun", words: ["run"] },
  "deno.ts": { runtime: "deno", words: ["run", "--no-prompt", "--allow-net", "--allow-env=PORT"] },
  "node.ts": { runtime: "node with tsx", words: ["--import", "tsx"] },
};

/** The line in which a server prints its URL. */
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

test("docs/examples/hooks_guard.ts refuses a private key, and hides e-mail addresses", async () => {
  const refused = await hooksGuard.fetch(toRequest(MESSAGES_URL, {}, "-----BEGIN RSA PRIVATE KEY-----"));
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /This message contains a private key/);
  const answer = await (await hooksGuard.fetch(toRequest(MESSAGES_URL, {}, "I am a.b@c.example"))).json();
  assert.match(answer.content[0].text, /You said: I am \[e-mail\]$/);
});

test("docs/examples/hooks_routing.ts routes short questions to the small model", async () => {
  const answer = await hooksRouting.fetch(toRequest(MESSAGES_URL, {}, "hello there", "openai/gpt-5"));
  assert.equal(answer.headers.get("x-gateway-model"), "demo/echo");
  await assertEcho(answer);
});

test("docs/examples/hooks_audit.ts writes a line for each answer", async (context) => {
  const log = context.mock.method(console, "log", () => {});
  await assertEcho(await hooksAudit.fetch(toRequest(MESSAGES_URL)));
  const [line] = log.mock.calls.map(({ arguments: [text] }) => JSON.parse(String(text)));
  assert.deepEqual([line.client, line.model, line.outcome], ["local", "demo/echo", "finished"]);
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

test("docs/mcp.md shows docs/examples/mcp.json", () => {
  const shown = readPage("docs/mcp.md").blocks.find(({ text }) => text.includes("restart_policy"));
  const example = readFileSync(`${ROOT}docs/examples/mcp.json`, "utf8");
  assert.deepEqual(JSON.parse(shown?.text ?? ""), JSON.parse(example));
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
  // tests/clients/mcp/managed.client.ts runs the server of mcp.json.
  const tested = [
    ...Object.keys(SERVERS),
    "hono.ts",
    "hooks_audit.ts",
    "hooks_guard.ts",
    "hooks_routing.ts",
    "mcp.json",
    "statusline.sh",
    "workers.ts",
  ];
  assert.deepEqual(readdirSync(`${ROOT}docs/examples`).sort(), tested.sort());
});

const MESSAGES_URL = "http://127.0.0.1/v1/messages";

function toRequest(
  url: string,
  headers: Record<string, string> = {},
  content = "hello there",
  model = "demo/echo",
): Request {
  const body = { model, max_tokens: 64, messages: [{ role: "user", content }] };
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
