import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as v from "valibot";
import { runReplay } from "../../../lib/cli/replay.ts";
import { Recording } from "../../../lib/observability/recording.ts";
import { replay as replayWith } from "../../../lib/replay/replay.ts";
import { createTestGateway, type TestGatewayOptions } from "../../kit/gateway.ts";
import { type Json, parseJson } from "../../kit/json.ts";
import { API_SETTINGS, minimalRequest, UPSTREAM_APIS } from "../../kit/requests/request.ts";
import { COMPLETE_STREAMS, DONE, writeChunks, writeDelta } from "../../kit/streams.ts";
import { until } from "../../kit/until.ts";
import { createGateway } from "../../../lib/gateway.ts";
import { createGatewayContext } from "../../../lib/server/create_context.ts";

const replay = (recording: Recording) => replayWith(recording, createGateway);

const root = mkdtempSync(join(tmpdir(), "gateway-recordings-"));
after(() => rmSync(root, { recursive: true, force: true }));

let count = 0;

/** Sends a request to a gateway that records, and returns the path of the recording. */
async function record(options: TestGatewayOptions, request: Json, headers: Record<string, string> = {}) {
  const folder = join(root, String(count++));
  const gateway = createTestGateway({ ...options, settings: { ...options.settings, RECORD_DIR: folder } });
  await (await gateway.post(request, { headers })).text();
  const list = () => readdirSync(folder).filter((name) => name.endsWith(".json"));
  await until(() => list().length > 0);
  const [name = ""] = list();
  return join(folder, name);
}

function read(path: string): Recording {
  return v.parse(Recording, parseJson(readFileSync(path, "utf8")));
}

const MODELS = JSON.stringify({
  data: [{ id: "vendor/model", context_length: 1000 }, { id: "vendor/other" }],
});
const tool = { name: "look", input_schema: { type: "object", properties: { api_key: { type: "string" } } } };
const call = { index: 0, id: "call_1", function: { name: "look", arguments: '{"api_key":"x"}' } };

for (const api of UPSTREAM_APIS) {
  for (const stream of [true, false]) {
    test(`replay() of a recorded message shows no differences (${api}, ${stream ? "streamed" : "single"})`, async () => {
      const path = await record(
        { upstream: { body: COMPLETE_STREAMS[api] }, settings: API_SETTINGS[api] },
        minimalRequest(api, { stream, top_k: 5, tools: [tool] }),
      );
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const recording = read(path);
      assert.equal(recording.exchanges[0]?.body, COMPLETE_STREAMS[api]);
      assert.deepEqual(recording.request.body.tools, [tool]);
      assert.deepEqual(await replay(recording), { differences: [], notes: [] });
    });
  }
}

const FAILURES: [name: string, options: TestGatewayOptions][] = [
  ["an upstream's refusal", {
    upstream: {
      status: 400,
      headers: { "content-type": "application/json" },
      body: '{"error":{"message":"No"}}',
    },
  }],
  ["an answer that ends early", { upstream: { body: writeDelta({ content: "Hi" }) } }],
  ["an error within the stream", {
    upstream: { body: `${writeDelta({ content: "Hi" })}data: {"error":{"message":"Cut"}}\n\n` },
  }],
  ["a remedy", {
    upstream: [
      { status: 400, body: '{"error":{"message":"Unrecognized request argument supplied: stop"}}' },
      { body: COMPLETE_STREAMS.chat },
    ],
  }],
  ["tool calls", {
    upstream: {
      body: writeChunks({ choices: [{ delta: { tool_calls: [call] }, finish_reason: "tool_calls" }] }),
    },
  }],
];

for (const [name, options] of FAILURES) {
  for (const stream of [true, false]) {
    test(`replay() repeats ${name} (${stream ? "streamed" : "single"})`, async () => {
      const request = minimalRequest("chat", { stream, stop_sequences: ["X"], tools: [tool] });
      assert.deepEqual((await replay(read(await record(options, request)))).differences, []);
    });
  }
}

test("RECORD_DIR keeps the name of an upstream with which a key begins", async () => {
  const upstreams = { locked: { url: "http://127.0.0.1:9/v1", key: "locked-key-123" } };
  const path = await record(
    { upstream: { body: COMPLETE_STREAMS.chat }, settings: { UPSTREAMS: JSON.stringify(upstreams) } },
    minimalRequest("chat", { stream: true }),
  );
  assert.deepEqual(read(path).settings.UPSTREAMS, { locked: { url: "http://127.0.0.1:9/v1" } });
  assert.deepEqual(await replay(read(path)), { differences: [], notes: [] });
});

test("replay() shows the effect of a change in the translation", async () => {
  const recording = read(await record({ upstream: { body: COMPLETE_STREAMS.chat } }, minimalRequest("chat")));
  const [exchange] = recording.exchanges;
  assert.ok(exchange?.sent);
  exchange.sent.max_tokens = 65;
  exchange.body = exchange.body.replace("Hi", "Ho");
  const { differences } = await replay(recording);
  assert.deepEqual(differences, [
    "sent 1: max_tokens: 65 -> 64",
    'answer: message.content.0.text: "Hi" -> "Ho"',
  ]);
});

test("replay() shows another path, and another id in the place of one of the client", async () => {
  const [id, other] = ["toolu_0123456789abcdefghijklmn", "toolu_abcdefghijklmn0123456789"];
  const messages = [
    { role: "user", content: "Look" },
    { role: "assistant", content: [{ type: "tool_use", id, name: "look", input: {} }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "Seen" }] },
  ];
  const request = minimalRequest("chat", { messages, tools: [tool] });
  const recording = read(await record({ upstream: { body: COMPLETE_STREAMS.chat } }, request));
  const [exchange] = recording.exchanges;
  assert.ok(exchange?.sent);
  const { path } = exchange;
  exchange.path = "/elsewhere";
  exchange.sent = parseJson(JSON.stringify(exchange.sent).replaceAll(id, other)) as typeof exchange.sent;
  const { differences } = await replay(recording);
  assert.deepEqual(differences, [
    `sent 1: path: "/elsewhere" -> ${JSON.stringify(path)}`,
    `sent 1: messages.1.tool_calls.0.id: "toolu_1" -> "${id}"`,
    `sent 1: messages.2.tool_call_id: "toolu_1" -> "${id}"`,
  ]);
});

test("RECORD_DIR stores no credentials, even if a model writes one in pieces", async () => {
  const key = "Zq7k9mXWv0aB";
  const pieces = ["sk-or", "-v1-012345", "6789abcdef ", "Zq7k9", "mXWv0aB"];
  const path = await record(
    {
      settings: {
        OPENROUTER_API_KEY: key,
        UPSTREAMS: {
          own: { url: "https://own.test/v1", key: "own-Hj2Ln6", headers: { "x-a": "Pw4Rt8sEcReT" } },
        },
      },
      upstream: {
        body: pieces.map((content) => writeDelta({ content })).join("") +
          writeDelta({}, { finish_reason: "stop" }) + DONE,
      },
    },
    minimalRequest("chat", { system: `Bearer abcdefgh ${key}`, stream: true }),
    { "x-api-key": "Qs8Uv0Xy3Zz" },
  );
  const text = readFileSync(path, "utf8");
  for (
    const secret of [key, "mXWv0aB", "6789abcdef", "abcdefgh", "own-Hj2Ln6", "Pw4Rt8sEcReT", "Qs8Uv0Xy3Zz"]
  ) {
    assert.equal(text.includes(secret), false, secret);
  }
  assert.deepEqual((await replay(read(path))).differences, []);
});

test("replay --fixture writes the folder of a fixture, and replay reports an invalid recording", async () => {
  const settings = { MODEL_MAP: { m: "vendor/model" } };
  const { FakeUpstream } = await import("../../kit/upstream.ts");
  const upstream = new FakeUpstream({ body: COMPLETE_STREAMS.chat }, { models: MODELS });
  const path = await record({ settings, upstream }, minimalRequest("chat", { model: "m" }), {
    "anthropic-beta": "a",
  });
  const run = (args: string[]) => runReplay(args, { createGateway, createGatewayContext });
  const printed: string[] = [];
  const [log, error] = [console.log, console.error];
  console.log = (line: string) => printed.push(line);
  console.error = (line: string) => printed.push(line);
  try {
    assert.equal(await run([path]), 0);
    assert.equal(await run(["--fixture", path]), 0);
    assert.equal(await run([join(root, "none.json")]), 2);
    writeFileSync(join(root, "other.json"), "{}");
    assert.equal(await run([join(root, "other.json")]), 2);
    await assert.rejects(run([]), { name: "ConfigError" });
    await assert.rejects(run(["--other", path]), { name: "ConfigError" });
  } finally {
    [console.log, console.error] = [log, error];
  }
  assert.match(
    printed[0] ?? "",
    /^req_\w+, recorded by version .*, 1 requests to upstreams: no differences$/,
  );
  const folder = path.replace(/\.json$/, "");
  assert.deepEqual(readdirSync(folder).sort(), [
    "models.json",
    "request.head",
    "request.json",
    "settings.json",
    "upstream.sse",
  ]);
  assert.equal(existsSync(join(folder, "sent.json")), false);
  assert.deepEqual(parseJson(readFileSync(join(folder, "models.json"), "utf8")).data, [{
    id: "vendor/model",
    context_length: 1000,
  }]);
  assert.equal(readFileSync(join(folder, "upstream.sse"), "utf8"), COMPLETE_STREAMS.chat);
});

test("the operator's page replays a recorded request, and creates a fixture from it", async () => {
  const folder = join(root, String(count++));
  const gateway = createTestGateway({
    upstream: { body: COMPLETE_STREAMS.chat },
    settings: { RECORD_DIR: folder },
  });
  await (await gateway.post(minimalRequest("chat"))).text();
  const readPage = async (path = "") => await (await gateway.get(`/console/${path}`)).text();
  const path = /request\?id=req_\w+/.exec(await readPage())?.[0] ?? "";
  await until(async () => (await readPage(path)).includes("Replay offline"));
  const act = async (action: string) => {
    const token = /name="token" value="(\w+)"/.exec(await readPage(path))?.[1] ?? "";
    const response = await gateway.fetch(
      new Request(`http://gateway.test/console/${path}`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ token, action }),
      }),
    );
    assert.deepEqual([response.status, response.headers.get("location")], [303, `${path}#recorded`]);
    return await readPage(path);
  };
  assert.match(await act("replay"), /Replayed without differences/);
  assert.match(await act("fixture"), /Wrote the fixture/);
  const [fixture = ""] = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  assert.deepEqual(readdirSync(join(folder, fixture)).sort(), [
    "request.json",
    "upstream.sse",
  ]);
  const [recording = ""] = readdirSync(folder).filter((name) => name.endsWith(".json"));
  writeFileSync(join(folder, recording), "{}");
  assert.match(await act("replay"), /Cannot use the recording/);
});
