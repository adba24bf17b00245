import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { nextTask } from "../../../lib/runtime/next_task.ts";
import { createFolders } from "../../kit/data_dir.ts";
import { writeChunks } from "../../kit/streams.ts";
import type { Program } from "../runtimes/launch.ts";
import { startFront } from "../servers/front.ts";
import { NO_POSTGRES, startPostgres } from "../servers/postgres_server.ts";
import { NO_RESTATE, startRestate } from "../servers/restate_server.ts";
import { launchHere } from "./own_runtime.ts";

const newFolder = createFolders();
const HEADERS = { "content-type": "application/json", "x-api-key": "key-of-alice-1234" };

const call = (id: string, command: string) =>
  writeChunks({
    choices: [{
      delta: {
        tool_calls: [{ index: 0, id, function: { name: "Bash", arguments: JSON.stringify({ command }) } }],
      },
      finish_reason: "tool_calls",
    }],
  });
const DONE = writeChunks({ choices: [{ delta: { content: "Done" }, finish_reason: "stop" }] });

/** The turns of a conversation, by the number of tool results in the request. */
const TURNS = [call("call_1", "echo one >> log"), call("call_2", "echo two >> log; sleep 30"), DONE];

interface Upstream {
  url: string;
  bodies: string[];
  /** Requests that wait for an answer. */
  held: ServerResponse[];
  /** True if requests without tools wait. */
  holds: boolean;
  stop(): Promise<void>;
}

async function startUpstream(): Promise<Upstream> {
  const upstream: Upstream = {
    url: "",
    bodies: [],
    held: [],
    holds: false,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const server = createServer((request, response: ServerResponse) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text) => body += text).on("end", () => {
      if (request.method !== "POST") return void response.writeHead(404).end();
      upstream.bodies.push(body);
      response.writeHead(200, { "content-type": "text/event-stream" });
      if (upstream.holds) return void upstream.held.push(response);
      const results = body.split('"role":"tool"').length - 1;
      response.end(body.includes('"tools"') ? TURNS[results] : DONE);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  upstream.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return upstream;
}

interface Instance {
  program: Program;
  url: string;
  port: number;
}

/** The gateways that run. */
const running = new Set<Program>();
after(() => Promise.all([...running].map(endProgram)));

async function start(settings: Record<string, string>): Promise<Instance> {
  const program = launchHere(["--port", "0"], settings);
  running.add(program);
  const url = await program.find(/^ANTHROPIC_BASE_URL=(\S+)$/m);
  return { program, url, port: Number(new URL(url).port) };
}

async function endProgram(program: Program): Promise<void> {
  running.delete(program);
  assert.ok(program.pid !== undefined);
  process.kill(program.pid, "SIGKILL");
  await program.ended;
}

test("Gateways behind Restate continue the requests of another gateway", {
  skip: NO_RESTATE || NO_POSTGRES,
  timeout: 180_000,
}, async (t) => {
  const [postgres, restate, upstream, front] = await Promise.all([
    startPostgres(),
    startRestate(),
    startUpstream(),
    startFront(),
  ]);
  t.after(() => Promise.all([postgres.stop(), restate.stop(), upstream.stop(), front.stop()]));
  const workspace = newFolder();
  mkdirSync(workspace, { recursive: true });
  const settings = {
    DATA_URL: await postgres.newDatabase(),
    RESTATE_INGRESS_URL: restate.ingressUrl,
    RESTATE_IDENTITY_KEYS: restate.identityKey,
    BATCH_CONCURRENCY: "4",
    SHUTDOWN_TIMEOUT: "1",
    TOOLS: "shell",
    TOOL_TIMEOUT: "60",
    SHELL_SANDBOX: "off",
    WORKSPACE_ROOT: workspace,
    GATEWAY_API_KEYS: "alice:key-of-alice-1234",
    OPENROUTER_API_KEY: "sk-or-test",
    OPENROUTER_BASE_URL: upstream.url,
  };
  const [one, two] = await Promise.all([start(settings), start(settings)]);
  front.ports = [one.port, two.port];

  await t.test("unsigned requests are a 401", async () => {
    const paths = ["/restate/discover", "/restate/invoke/openrouter_anthropic_server/run"];
    const [discover, run] = await Promise.all(
      paths.map((path, nth) => fetch(one.url + path, { method: nth === 0 ? "GET" : "POST" })),
    );
    assert.deepEqual([discover?.status, run?.status], [401, 401]);
    const registered = await restate.register(`${front.url}/restate`);
    assert.equal(registered.status, 201, await registered.text());
  });

  await t.test("an answer whose gateway is killed during a tool call is finished by another one", async () => {
    const body = { model: "vendor/model", max_tokens: 64, messages: [{ role: "user", content: "Work" }] };
    const answer = fetch(`${two.url}/v1/messages`, {
      method: "POST",
      headers: { ...HEADERS, "x-gateway-tools": "Bash", "idempotency-key": "order-1" },
      body: JSON.stringify(body),
    });
    const log = join(workspace, "log");
    while (!existsSync(log) || readFileSync(log, "utf8") !== "one\ntwo\n") await nextTask();
    await endProgram(one.program);
    const killedAt = Date.now();
    const response = await answer;
    const message = await response.json();
    t.diagnostic(`the answer arrived ${Date.now() - killedAt} ms after its gateway was killed`);
    assert.equal(response.status, 200, JSON.stringify(message));
    const results = message.content.filter(({ type }: { type: string }) => type === "mcp_tool_result");
    assert.deepEqual(results.map(({ is_error }: { is_error: boolean }) => is_error), [false, true]);
    assert.match(JSON.stringify(results[1]), /Interrupted: the gateway ended/);
    assert.equal(message.content.at(-1).text, "Done");
    assert.equal(readFileSync(log, "utf8"), "one\ntwo\n", "no tool ran twice");
    assert.equal(upstream.bodies.length, 3, "each turn was sent once");
  });

  let again: Instance;
  await t.test("a batch goes on while one gateway restarts and another one is killed", async () => {
    again = await start(settings);
    front.ports = [again.port, two.port];
    upstream.holds = true;
    const requests = Array.from({ length: 12 }, (_, nth) => ({
      custom_id: `item-${nth}`,
      params: { model: "vendor/model", max_tokens: 8, messages: [{ role: "user", content: "Hi" }] },
    }));
    const path = "/v1/messages/batches";
    const created = await fetch(two.url + path, {
      method: "POST",
      headers: HEADERS,
      body: JSON.stringify({ requests }),
    });
    const { id } = await created.json();
    while (upstream.held.length < 4) await nextTask();
    await endProgram(two.program); // it has claimed some of the requests; the other gateway runs them
    upstream.holds = false;
    for (const response of upstream.held) response.end(DONE);
    let batch;
    do {
      await nextTask();
      batch = await (await fetch(`${again.url}${path}/${id}`, { headers: HEADERS })).json();
    } while (batch.processing_status !== "ended");
    assert.equal(batch.request_counts.succeeded, 12);
  });

  await t.test("an answer whose gateway is restarted is finished by another one", async () => {
    const last = await start(settings);
    front.ports = [again.port, last.port];
    upstream.holds = true;
    upstream.held = [];
    const answer = fetch(`${last.url}/v1/messages`, {
      method: "POST",
      headers: { ...HEADERS, "idempotency-key": "order-2" },
      body: JSON.stringify({
        model: "vendor/model",
        max_tokens: 8,
        stream: true,
        messages: [{ role: "user", content: "Hi" }],
      }),
    });
    while (upstream.held.length < 1) await nextTask();
    upstream.holds = false;
    again.program.kill("SIGTERM");
    const text = await (await answer).text();
    assert.match(text, /Done[\s\S]*message_stop/);
    await again.program.ended;
    running.delete(again.program);
  });
});
