import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { parseEvents } from "../kit/events.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { captureLog } from "../kit/log.ts";
import { API_SETTINGS, minimalRequest, UPSTREAM_APIS } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeEvent } from "../kit/streams.ts";
import { type FakeReply, FakeUpstream } from "../kit/upstream.ts";

const STREAM = { "content-type": "text/event-stream" };
const JSON_TYPE = { "content-type": "application/json" };
const LIMITS = {
  "anthropic-ratelimit-requests-limit": "50",
  "anthropic-ratelimit-requests-remaining": "49",
  "anthropic-ratelimit-unified-status": "allowed",
};
/** Anthropic as the default upstream: it receives the client's key if the gateway has none. */
const ANTHROPIC: Settings = {
  OPENROUTER_BASE_URL: "https://api.anthropic.com/v1",
  OPENROUTER_API_KEY: undefined,
  LOG_LEVEL: "off",
};

const error = (type: string, message = "Try later") =>
  JSON.stringify({ type: "error", error: { type, message } });

/** Sends a message to Anthropic with the client's key, and returns the response. */
async function ask(replies: FakeReply | FakeReply[], settings: Settings = ANTHROPIC, fields = {}) {
  const upstream = new FakeUpstream(replies);
  const gateway = createTestGateway({ upstream, settings });
  const response = await gateway.post(minimalRequest("native", { model: "claude-opus-5-5", ...fields }), {
    headers: { "x-api-key": "sk-ant-client" },
  });
  const text = await response.text();
  return { response, text, upstream };
}

const IDS: [headers: Record<string, string>, id: string | null][] = [
  [{ "request-id": "req_011CV" }, "req_011CV"],
  [{ "x-generation-id": "gen-1777319818-abc" }, "gen-1777319818-abc"],
  [{ "x-request-id": "0c1f-22e1" }, "0c1f-22e1"],
  [{ "x-request-id": "1" }, null],
  [{ "x-request-id": "edge-1", "request-id": "req_1" }, "req_1"],
  [{ "request-id": "gen-1", "x-generation-id": "gen-1" }, "gen-1"],
  [{ "request-id": "req 1; injected" }, null],
  [{ "request-id": "x".repeat(129) }, null],
  [{}, null],
];

for (const [headers, id] of IDS) {
  test(`x-upstream-request-id is ${id} for ${JSON.stringify(headers).slice(0, 60)}`, async () => {
    for (const api of UPSTREAM_APIS) {
      for (const stream of [true, false]) {
        const body = COMPLETE_STREAMS[api];
        const answers = new FakeUpstream([{ body, headers: { ...STREAM, ...headers } }, {
          status: 500,
          body: "{}",
          headers: { ...JSON_TYPE, ...headers },
        }]);
        const lines = await captureLog(async () => {
          const gateway = createTestGateway({ upstream: answers, settings: API_SETTINGS[api] });
          for (const status of [200, 500]) {
            const response = await gateway.post(minimalRequest(api, { stream }));
            await response.text();
            assert.equal(response.status, status);
            assert.equal(response.headers.get("x-upstream-request-id"), id);
            assert.match(
              response.headers.get("request-id") ?? "",
              /^req_[A-Za-z0-9]{24}$/,
              "the gateway's own",
            );
          }
        });
        const logged = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === "request");
        assert.deepEqual(logged.map(({ upstreamRequestId = null }) => upstreamRequestId), [id, id]);
      }
    }
  });
}

test("x-upstream-request-id is absent if no request reached an upstream", async () => {
  const { headers } = await createTestGateway().post({});
  assert.equal(headers.get("x-upstream-request-id"), null);
});

const ERRORS: [
  name: string,
  upstream: { status: number; type: string; headers?: Record<string, string> },
  client: { status?: number; type?: string; retry: string | null; retryMs?: string },
][] = [
  ["503 api_error", { status: 503, type: "api_error" }, { retry: null }],
  ["503 overloaded_error", { status: 503, type: "overloaded_error" }, { retry: null }],
  ["529 overloaded_error", { status: 529, type: "overloaded_error" }, { retry: null }],
  ["502 api_error", { status: 502, type: "api_error" }, { retry: null }],
  ["504 timeout_error", { status: 504, type: "timeout_error" }, { retry: null }],
  ["409 conflict_error", { status: 409, type: "conflict_error" }, { retry: null }],
  ["503 of an unknown type", { status: 503, type: "later_error" }, {
    status: 529,
    type: "overloaded_error",
    retry: null,
  }],
  ["x-should-retry: false", {
    status: 529,
    type: "overloaded_error",
    headers: { "x-should-retry": "false" },
  }, { retry: "false" }],
  ["x-should-retry: true", { status: 500, type: "api_error", headers: { "x-should-retry": "true" } }, {
    retry: "true",
  }],
  ["x-should-retry: true at a final status", {
    status: 400,
    type: "invalid_request_error",
    headers: { "x-should-retry": "true" },
  }, { retry: "true" }],
  ["x-should-retry of nonsense", {
    status: 500,
    type: "api_error",
    headers: { "x-should-retry": "perhaps" },
  }, { retry: null }],
  ["retry-after-ms", {
    status: 429,
    type: "rate_limit_error",
    headers: { "retry-after-ms": "250.5", "retry-after": "1" },
  }, { retry: null, retryMs: "250.5" }],
  ["retry-after-ms of nonsense", {
    status: 429,
    type: "rate_limit_error",
    headers: { "retry-after-ms": "soon" },
  }, { retry: null }],
];

for (const [name, { status, type, headers = {} }, client] of ERRORS) {
  test(`POST /v1/messages keeps ${name} of Anthropic`, async () => {
    const { response, text } = await ask({
      status,
      body: error(type),
      headers: { ...JSON_TYPE, ...headers },
    });
    assert.equal(response.status, client.status ?? status);
    assert.equal(JSON.parse(text).error.type, client.type ?? type);
    assert.equal(response.headers.get("x-should-retry"), client.retry);
    assert.equal(response.headers.get("retry-after-ms"), client.retryMs ?? null);
  });
}

test("UPSTREAM_RETRIES does not repeat a request if the upstream advises against it", async () => {
  const headers = { ...JSON_TYPE, "x-should-retry": "false" };
  const refused = { status: 529, body: error("overloaded_error"), headers };
  const { upstream } = await ask(refused, { ...ANTHROPIC, UPSTREAM_RETRIES: 2 });
  assert.equal(upstream.requests.length, 1);
});

test("POST /v1/messages keeps conflict_error within a stream", async () => {
  const start = {
    type: "message_start",
    message: { id: "msg_1", usage: { input_tokens: 1, output_tokens: 1 } },
  };
  const block = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
  const body = [start, block, JSON.parse(error("conflict_error"))].map(writeEvent).join("");
  const { text } = await ask({ body }, ANTHROPIC, { stream: true });
  assert.equal(parseEvents(text).at(-1)?.error.type, "conflict_error");
});

test("POST /v1/messages forwards only the limits of the client's key", async () => {
  const whole: FakeReply = { body: COMPLETE_STREAMS.native, headers: { ...STREAM, ...LIMITS } };
  const refused: FakeReply = {
    status: 429,
    body: error("rate_limit_error"),
    headers: { ...JSON_TYPE, ...LIMITS },
  };
  for (const reply of [whole, refused]) {
    for (const stream of [true, false]) {
      const own = (await ask(reply, ANTHROPIC, { stream })).response.headers;
      for (const [name, value] of Object.entries(LIMITS)) assert.equal(own.get(name), value, name);
      const operators = await ask(reply, { ...ANTHROPIC, OPENROUTER_API_KEY: "sk-ant-operator" }, { stream });
      for (const name of Object.keys(LIMITS)) assert.equal(operators.response.headers.get(name), null, name);
    }
  }
  const limited = await ask(whole, { ...ANTHROPIC, LIMITS: { each: { requests: 7 } } });
  assert.equal(limited.response.headers.get("anthropic-ratelimit-requests-limit"), "7");
});
