import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { collectMessage } from "../../../lib/anthropic/collect.ts";
import type { StreamEvent } from "../../../lib/anthropic/events.ts";
import { toEvents } from "../../../lib/anthropic/to_events.ts";
import { ApiError } from "../../../lib/base/errors.ts";
import { createAnswerStore } from "../../../lib/durable/answer_store.ts";
import { openDataDir } from "../../../lib/durable/data_dir.ts";
import type { DataStore } from "../../../lib/durable/data_store.ts";
import { createRecordedSteps } from "../../../lib/durable/recorded_steps.ts";
import { createStepStore } from "../../../lib/durable/step_store.ts";
import { newId } from "../../../lib/runtime/ids.ts";
import { nextTask } from "../../../lib/runtime/next_task.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";
import { writeChunks } from "../../kit/streams.ts";
import { launchHere } from "./own_runtime.ts";

const newFolder = createFolders();
const needsSqlite = { skip: NO_SQLITE };

const EVENTS: StreamEvent[] = toEvents({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "m",
  content: [{ type: "text", text: "Hi" }, { type: "tool_use", id: "toolu_1", name: "Read", input: { a: 1 } }],
  stop_reason: "tool_use",
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1 },
});

async function* answer(): AsyncGenerator<StreamEvent[]> {
  yield EVENTS;
}

// deno-lint-ignore require-yield
async function* fail(): AsyncGenerator<StreamEvent[]> {
  throw new ApiError("overloaded_error", "Overloaded", { retryAfter: "3" });
}

function notAgain(): never {
  throw new Error("the step ran again");
}

function open(): { dataDir: DataStore; steps: () => ReturnType<typeof createRecordedSteps> } {
  const dataDir = openDataDir(newFolder(), { newId });
  const store = createStepStore(dataDir);
  return { dataDir, steps: () => createRecordedSteps(store, "run").next() };
}

test("createRecordedSteps() repeats no finished turn and no finished tool", needsSqlite, async () => {
  const { dataDir, steps } = open();
  const never = { repeatable: true, interrupted: notAgain };
  const message = await collectMessage(steps().ask("ask 1", answer));
  assert.deepEqual(await steps().run("tool 1 0", () => Promise.resolve({ ok: true }), never), { ok: true });
  assert.deepEqual(await collectMessage(steps().ask("ask 1", notAgain)), message);
  assert.deepEqual(await steps().run("tool 1 0", notAgain, never), { ok: true });
  await dataDir.close();
});

test(
  "createRecordedSteps() repeats an interrupted turn, and keeps a failure",
  needsSqlite,
  async () => {
    const { dataDir, steps } = open();
    const half = steps().ask("ask 1", answer);
    await half.next();
    await half.return(undefined);
    assert.equal((await collectMessage(steps().ask("ask 1", answer))).id, "msg_1");
    const failure = { type: "overloaded_error", status: 529, retryAfter: "3", retryable: true };
    await assert.rejects(() => collectMessage(steps().ask("ask 2", fail)), failure);
    await assert.rejects(() => collectMessage(steps().ask("ask 2", notAgain)), failure);
    await dataDir.close();
  },
);

test("createRecordedSteps() runs an interrupted tool again only if it may", needsSqlite, async () => {
  for (const repeatable of [true, false]) {
    const { dataDir, steps } = open();
    const interruption = { repeatable, interrupted: () => "interrupted" };
    const killed = steps().run("tool 1 0", () => Promise.reject(new Error("killed")), interruption);
    await assert.rejects(killed, /killed/);
    const result = () => steps().run("tool 1 0", () => Promise.resolve("again"), interruption);
    assert.equal(await result(), repeatable ? "again" : "interrupted");
    assert.equal(await result(), repeatable ? "again" : "interrupted", "the result is kept");
    await dataDir.close();
  }
});

test(
  "A repeat of a failed answer drops the last failure, and keeps the steps of its tools",
  needsSqlite,
  async () => {
    const { dataDir } = open();
    const answers = createAnswerStore(dataDir, { newId });
    const store = createStepStore(dataDir);
    const claim = await answers.claim({ owner: "o", key: "k", fingerprint: "f" }, 0);
    assert.ok(claim.kind === "own");
    const first = createRecordedSteps(store, claim.held.id);
    await assert.rejects(() => collectMessage(first.next().ask("ask 1", fail)));
    const second = first.next();
    await second.run("tool 1 0", () => Promise.resolve(1), { repeatable: false, interrupted: notAgain });
    await assert.rejects(() => collectMessage(second.ask("ask 2", fail)));
    await answers.fail(claim.held);
    const rows = await dataDir.database.all("SELECT name FROM steps ORDER BY name");
    const names = rows.map(({ name }) => name);
    assert.deepEqual(names, ["0001 ask 1", "0002 tool 1 0"]);
    const again = await answers.claim({ owner: "o", key: "k", fingerprint: "f" }, 0);
    assert.ok(again.kind === "own");
    await answers.finish(again.held, 0);
    assert.deepEqual(await dataDir.database.all("SELECT name FROM steps"), []);
    await dataDir.close();
  },
);

test(
  "An answer continues after its gateway was killed during a tool call, and no finished step is repeated",
  {
    ...needsSqlite,
    timeout: 60_000,
  },
  async () => {
    const [data, workspace] = [newFolder(), newFolder()];
    mkdirSync(workspace, { recursive: true });
    const bodies: string[] = [];
    const call = (id: string, command: string) => ({
      choices: [{
        delta: {
          tool_calls: [{ index: 0, id, function: { name: "Bash", arguments: JSON.stringify({ command }) } }],
        },
        finish_reason: "tool_calls",
      }],
    });
    const turns = [
      writeChunks(call("call_1", "echo one >> log")),
      writeChunks(call("call_2", "echo two >> log; sleep 5")),
      writeChunks({ choices: [{ delta: { content: "Done" }, finish_reason: "stop" }] }),
    ];
    const upstream = createServer((request, response: ServerResponse) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text) => body += text).on("end", () => {
        if (request.method !== "POST") return void response.writeHead(404).end();
        bodies.push(body);
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end(turns[Math.min(bodies.length, turns.length) - 1]);
      });
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const { port } = upstream.address() as AddressInfo;
    const settings = {
      DATA_DIR: data,
      TOOLS: "shell",
      TOOL_TIMEOUT: "60",
      SHELL_SANDBOX: "off",
      WORKSPACE_ROOT: workspace,
      GATEWAY_API_KEYS: "alice:key-of-alice-1234",
      OPENROUTER_API_KEY: "sk-or-test",
      OPENROUTER_BASE_URL: `http://127.0.0.1:${port}`,
    };
    const URL_LINE = /^ANTHROPIC_BASE_URL=(\S+)$/m;
    const send = async (url: string) =>
      await fetch(`${url}/v1/messages`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-api-key": "key-of-alice-1234",
          "x-gateway-tools": "Bash",
          "idempotency-key": "order-1",
        },
        body: JSON.stringify({
          model: "vendor/model",
          max_tokens: 64,
          messages: [{ role: "user", content: "Work" }],
        }),
      });
    const log = join(workspace, "log");
    const readLog = () => existsSync(log) ? readFileSync(log, "utf8") : "";

    const first = launchHere(["--port", "0"], settings);
    const cut = send(await first.find(URL_LINE)).then(() => "answered", () => "cut");
    while (readLog() !== "one\ntwo\n") await nextTask();
    assert.ok(first.pid !== undefined);
    process.kill(first.pid, "SIGKILL");
    assert.equal(await cut, "cut");
    await first.ended;

    const second = launchHere(["--port", "0"], settings);
    const message = await (await send(await second.find(URL_LINE))).json();
    second.kill("SIGTERM");
    await second.ended;
    await new Promise((resolve) => upstream.close(resolve));
    const results = message.content.filter(({ type }: { type: string }) => type === "mcp_tool_result");
    assert.deepEqual(results.map(({ is_error }: { is_error: boolean }) => is_error), [false, true]);
    assert.match(JSON.stringify(results[1]), /Interrupted: the gateway ended/);
    assert.equal(message.content.at(-1).text, "Done");
    assert.equal(readLog(), "one\ntwo\n");
    assert.equal(bodies.length, 3, "each turn was sent once");
    assert.match(bodies[2] ?? "", /Interrupted: the gateway ended/);
  },
);
