import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { startLog } from "../../lib/observability/log.ts";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway, type TestGatewayOptions } from "../kit/gateway.ts";
import { type Json, parseJson } from "../kit/json.ts";
import { captureLog } from "../kit/log.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeChunks } from "../kit/streams.ts";
import { type FakeResponse, FakeUpstream } from "../kit/upstream.ts";

const HEADERS = { "x-claude-code-session-id": "session-1", "x-correlation-id": "trace.7" };

/** Sends a message and advances the clock until it is answered. Returns the lines of the log. */
async function logOf(
  options: TestGatewayOptions,
  fields: Json = {},
  headers: Record<string, string> = HEADERS,
) {
  const { clock = new FakeClock() } = options;
  return await captureLog(async () => {
    const gateway = createTestGateway({ ...options, clock });
    let done = false;
    const path = "/v1/messages?secret=query";
    gateway.post(minimalRequest("chat", fields), { headers, path }).then((response) => response.text())
      .then(() => done = true);
    for (let waited = 0; !done; waited++) {
      assert.ok(waited < 1000, "the answer comes");
      await setImmediate();
      clock.advance(100);
    }
  });
}

const requestLine = (lines: string[]): Json =>
  lines.map(parseJson).find(({ message }) => message === "request") ?? {};

test("POST /v1/messages logs one line with ids, route, times, usage and changes", async () => {
  const clock = new FakeClock();
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 5,
    cost: 0.25,
    prompt_tokens_details: { cached_tokens: 4 },
  };
  const replies: FakeResponse[] = [
    { status: 503, headers: { "content-type": "application/json" }, body: "{}" },
    {
      status: 400,
      body: JSON.stringify({ error: { message: "Unrecognized request argument supplied: stop" } }),
    },
    {
      headers: { "content-type": "text/event-stream", "x-generation-id": "gen-0123456789" },
      body: writeChunks(
        { choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }] },
        { choices: [], usage },
      ),
    },
  ];
  const upstream = new FakeUpstream(replies);
  const lines = await logOf(
    {
      clock,
      fetch: (input, init) => {
        if (init?.method === "POST") clock.advance(1000);
        return upstream.fetch(input, init);
      },
      settings: { UPSTREAM_RETRIES: 1 },
    },
    { stream: true, stop_sequences: ["X"] },
  );
  assert.equal(lines.filter((line) => line.includes('"request"')).length, 1);
  const {
    "@timestamp": _time,
    requestId,
    milliseconds,
    headersMilliseconds,
    firstEventMilliseconds,
    ...line
  } = requestLine(lines);
  assert.match(String(requestId), /^req_/);
  assert.ok(Number(headersMilliseconds) >= 3000 && Number(headersMilliseconds) <= Number(milliseconds));
  assert.ok(Number(firstEventMilliseconds) >= 3000 && Number(firstEventMilliseconds) <= Number(milliseconds));
  assert.deepEqual(line, {
    level: "INFO",
    message: "request",
    logger: "openrouter-anthropic-server.request",
    correlationId: "trace.7",
    upstreamRequestId: "gen-0123456789",
    client: "local",
    session: "session-1",
    method: "POST",
    path: "/v1/messages",
    model: "vendor/model",
    answeredBy: "openrouter/vendor/model",
    dialect: "openai",
    stopReason: "end_turn",
    inputTokens: 6,
    outputTokens: 5,
    cachedTokens: 4,
    cost: 0.25,
    status: 200,
    outcome: "finished",
    streamed: true,
    turns: 2,
    retries: 1,
    remedies: ["drop_parameter stop"],
    loss: ["stop_sequences dropped"],
  });
  for (const { headers } of upstream.requests) assert.equal(headers.get("x-correlation-id"), "trace.7");
});

test("POST /v1/messages logs fallbacks and the model that answered", async () => {
  const busy = { status: 500, headers: { "content-type": "application/json" }, body: "{}" };
  const lines = await logOf({
    upstream: [busy, { body: COMPLETE_STREAMS.chat }],
    settings: { MODEL_MAP: { m: { model: "vendor/one", fallbacks: ["vendor/two"] } } },
  }, { model: "m" });
  const { answeredBy, fallbacks, turns } = requestLine(lines);
  assert.deepEqual([answeredBy, fallbacks, turns], ["openrouter/vendor/two", 1, 2]);
});

test("A request without a correlation id uses its request id, in the response, the log and the upstream's request", async () => {
  const gateway = createTestGateway({ upstream: { body: COMPLETE_STREAMS.chat } });
  const response = await gateway.post(minimalRequest("chat"));
  await response.text();
  const id = response.headers.get("request-id");
  assert.equal(response.headers.get("x-correlation-id"), id);
  assert.equal(gateway.upstream.requests[0]?.headers.get("x-correlation-id"), id);
});

/** Each failure, and its kind. */
const FAILURES: [name: string, kind: string, options: TestGatewayOptions, fields?: Json][] = [
  ["a limit", "limit", { settings: { LIMITS: { each: { usd_day: 0 } } } }],
  ["a missing key", "access", { settings: { GATEWAY_API_KEYS: "alice-0123456789abcdef" } }],
  ["an invalid body", "client", {}, { max_tokens: "many" }],
  ["a status of the upstream", "upstream", { upstream: { status: 429, body: "{}" } }],
  ["a rejected upstream key", "upstream", { upstream: { status: 401, body: "{}" } }],
  ["an unreachable upstream", "upstream", { upstream: new TypeError("fetch failed") }],
  ["a cut answer", "upstream", { upstream: { body: "data: {", ending: "reset" } }],
];

for (const [name, kind, options, fields] of FAILURES) {
  test(`A request that fails by ${name} is a failure of kind ${kind}`, async () => {
    const line = requestLine(await logOf(options, fields, {}));
    assert.deepEqual([line.outcome, line.failure], ["failed", kind]);
  });
}

test("The name of an upstream stays in errors if its key is the same text", async () => {
  const ollama = { url: "http://127.0.0.1:11434/v1", key: "ollama" };
  const lines = await logOf(
    {
      settings: { UPSTREAMS: { ollama } },
      upstream: {
        status: 500,
        headers: { "content-type": "application/json" },
        body: '{"error":"ollama fails"}',
      },
    },
    { model: "ollama/qwen3" },
    {},
  );
  assert.match(String(requestLine(lines).error), /ollama fails/);
});

test("A failure is logged without secrets of settings, headers and upstream errors that have no known form", async () => {
  const upstreamKey = "Zq7k9mXWv0aB";
  const clientKey = "Hj2Ln6Qs8Uv0Xy3";
  const body = JSON.stringify({ error: { message: `No ${upstreamKey} and ${clientKey}` } });
  const lines = await logOf(
    {
      settings: { OPENROUTER_API_KEY: upstreamKey },
      upstream: { status: 400, headers: { "content-type": "application/json" }, body },
    },
    {},
    { "x-api-key": clientKey },
  );
  const line = requestLine(lines);
  assert.match(String(line.error), /No \[redacted\] and \[redacted\]/);
});

test("LOG_COMPONENTS sets the level of a component apart from the others", async () => {
  const lines: string[] = [];
  const original = console.error;
  console.error = (line: string) => lines.push(line);
  startLog("off", { levels: new Map([["request", "info"]]), format: "pretty" });
  try {
    const gateway = createTestGateway({ upstream: { status: 400, body: "{}" } });
    await (await gateway.get("/health")).text();
  } finally {
    startLog("off");
    console.error = original;
  }
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? "",
    /^[\d:.]{12} INFO {2}request {2}request requestId=req_\w+ .* path=\/health .*status=200/,
  );
});
