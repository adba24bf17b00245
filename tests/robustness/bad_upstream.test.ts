import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { toBytes } from "../kit/bytes.ts";
import { parseEvents } from "../kit/events.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { checkGrammar } from "../kit/grammar.ts";
import type { Wire } from "../kit/json.ts";
import { API_SETTINGS, minimalRequest, UPSTREAM_APIS, type UpstreamApi } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeChunks, writeDelta, writeEvent } from "../kit/streams.ts";
import { type FakeResponse, FakeUpstream } from "../kit/upstream.ts";

const HTML = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1>nginx/1.25 at 10.0.0.7</body></html>";
const json = (status: number, body: unknown, headers: Record<string, string> = {}): FakeResponse => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});
const text = (status: number, body: string, type = "text/event-stream"): FakeResponse => ({
  status,
  headers: { "content-type": type },
  body,
});
const withCode = (error: Error, code: string): Error => Object.assign(error, { code });

/** An error that the client receives. */
interface Failure {
  status: number;
  type: string;
  message: string;
  headers: Headers;
  /** The events of a stream that had begun. */
  events: Wire[];
  /** The headers and the body that the client received. */
  all: string;
}

/** Sends a message and reads the error, which has Anthropic's form, by status or in the stream. */
async function askForError(
  answer: FakeResponse | Error,
  api: UpstreamApi,
  streamed: boolean,
): Promise<Failure> {
  const settings = { OPENROUTER_API_KEY: SECRETS.own, ...API_SETTINGS[api] };
  const { upstream, clock, post } = createTestGateway({ upstream: answer, settings });
  void upstream.stalled.then(() => clock.advance(1000)); // an answer with a reason to finish ends within a second
  const response = await post(minimalRequest(api, { stream: streamed }));
  const body = await response.text();
  const inStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const events = inStream ? parseEvents(body) : [];
  if (inStream) assert.equal(checkGrammar(events), "error");
  const error = inStream ? events.at(-1) : JSON.parse(body);
  assert.deepEqual(Object.keys(error).sort(), ["error", "request_id", "type"]);
  assert.equal(error.type, "error");
  assert.equal(error.request_id, response.headers.get("request-id"));
  assert.match(error.request_id, /^req_/);
  assert.ok(error.error.message.length > 0 && error.error.message.length < 2500);
  assert.equal(upstream.requests.length, 1, "the upstream receives one request");
  assert.ok(upstream.idle, "the upstream's request has ended");
  assert.equal(clock.waiting, 0, "no timer is left");
  const all = JSON.stringify([...response.headers]) + body;
  return { status: response.status, ...error.error, headers: response.headers, events, all };
}

/** Failures of an upstream before its answer begins, and the status and message for the client. */
const BROKEN: Record<string, [answer: FakeResponse | Error, status: number, message: RegExp]> = {
  "a refused connection": [
    Object.assign(new TypeError("fetch failed"), {
      cause: withCode(new Error("connect 10.0.0.7:80"), "ECONNREFUSED"),
    }),
    502,
    /^Cannot reach upstream "openrouter": ECONNREFUSED$/,
  ],
  "an unknown host name": [
    withCode(new Error("getaddrinfo ENOTFOUND internal.host"), "ENOTFOUND"),
    502,
    /^Cannot reach upstream "openrouter": ENOTFOUND$/,
  ],
  "a failure without a reason": [
    new TypeError("fetch failed"),
    502,
    /^Cannot reach .+: the connection failed$/,
  ],
  "HTML and 200": [text(200, HTML, "text/html; charset=utf-8"), 502, /it is text\/html, neither/],
  "HTML and 502": [text(502, HTML, "text/html"), 502, /^Upstream returned 502 without a message$/],
  "HTML and 404": [
    text(404, HTML, "text/html"),
    404,
    /usually ends in \/v1: Upstream returned 404 without a message$/,
  ],
  "plain text": [text(200, "Hello", "text/plain"), 502, /it is text\/plain, neither/],
  "an image": [text(200, "\x89PNG", "image/png"), 502, /it is image\/png, neither/],
  "an empty stream": [text(200, ""), 502, /stream ended before its answer did$/],
  "an empty body, as JSON": [text(200, "", "application/json"), 502, /it is not JSON$/],
  "an empty body without a type": [
    { status: 200, headers: {}, body: [] },
    502,
    /stream ended before its answer did$/,
  ],
  "no content": [{ status: 204, headers: {} }, 502, /it is empty$/],
  "only comments": [text(200, ": hm\n\n: hm\n\n"), 502, /stream ended before its answer did$/],
  "half of JSON": [text(200, '{"choices":[{"message"', "application/json"), 502, /it is not JSON$/],
  "JSON of another kind": [json(200, [1]), 502, /Cannot (read|finish)/],
  "JSON that is null": [json(200, null), 502, /Cannot (read|finish)/],
  "garbage": [
    text(200, "\u0000\u0001garbage\n\n\n:\n\ndata\n\nfoo: bar\n\n"),
    502,
    /stream ended before its answer did$/,
  ],
  "data that is no JSON": [
    text(200, "data: garbage\n\n"),
    502,
    /^Cannot read the upstream's answer: an event is not/,
  ],
  "data that is no object": [text(200, "data: 1\n\n"), 502, /^Cannot read the upstream's answer: /],
  "gzip": [
    { headers: { "content-type": "text/event-stream" }, body: [gzipSync("data: {}\n\n")] },
    502,
    /Cannot (read|finish)/,
  ],
  "an event past all measure": [
    {
      body: [toBytes("data: "), ...Array(17).fill(new Uint8Array(1024 * 1024).fill(120))],
      ending: "open",
      ignoresAbort: true,
    },
    502,
    /an event is larger than 16 MiB$/,
  ],
  "a whole answer past all measure": [
    {
      headers: { "content-type": "application/json" },
      body: Array(33).fill(new Uint8Array(1024 * 1024).fill(32)),
      ending: "open",
      ignoresAbort: true,
    },
    502,
    /it is larger than 32 MiB$/,
  ],
  "an error past all measure": [
    {
      status: 500,
      headers: {},
      body: Array(9).fill(new Uint8Array(64 * 1024).fill(32)),
      ending: "open",
      ignoresAbort: true,
    },
    500,
    /^Upstream returned 500 without a message$/,
  ],
  "JSON that breaks off": [
    { headers: { "content-type": "application/json" }, body: [toBytes('{"a":')], ending: "reset" },
    502,
    /it is incomplete$/,
  ],
  "an error that breaks off": [
    { status: 429, headers: {}, body: [toBytes('{"error":')], ending: "reset" },
    429,
    /^Upstream returned 429 without a message$/,
  ],
};

for (const [name, [answer, status, message]] of Object.entries(BROKEN)) {
  test(`POST /v1/messages returns ${status} if the upstream answers with ${name}`, async () => {
    for (const api of UPSTREAM_APIS) {
      for (const streamed of [true, false]) {
        const failure = await askForError(answer, api, streamed);
        assert.equal(failure.status, status);
        assert.match(failure.message, message);
      }
    }
  });
}

test("POST /v1/messages follows no redirect of the upstream", async () => {
  for (const status of [300, 301, 302, 303, 304, 305, 307, 308]) {
    const location = "https://elsewhere.invalid/v1/messages";
    const failure = await askForError(
      { status, headers: { location }, body: [toBytes(location)] },
      "chat",
      true,
    );
    assert.equal(failure.status, 502);
    assert.equal(failure.message, `Cannot use upstream "openrouter": it redirects (${status})`);
    assert.ok(!failure.all.includes("elsewhere"));
  }
  const gateway = createTestGateway();
  await gateway.post(minimalRequest("chat"));
  assert.equal(gateway.upstream.requests[0]?.init.redirect, "manual");
});

const error = (code: unknown, message: string, metadata?: Wire): Wire => ({
  error: { code, message, ...(metadata && { metadata }) },
  user_id: "user_of_the_owner",
});
const kind = (error_type: string): Wire => ({ error_type, provider_name: "Host" });
const raw = (body: unknown): Wire => ({
  provider_name: "Host",
  raw: typeof body === "string" ? body : JSON.stringify(body),
});

/** Errors of OpenRouter, in its old and its new form, and the equivalent errors of Anthropic's API. */
const REFUSALS: [upstream: number, body: unknown, status: number, type: string, message: RegExp][] = [
  [400, error(400, "No"), 400, "invalid_request_error", /^No$/],
  [400, error(400, "No", kind("invalid_request")), 400, "invalid_request_error", /^No$/],
  [400, error(400, "No", kind("content_policy_violation")), 400, "invalid_request_error", /^No$/],
  [400, error(400, "x/y is not a valid model ID"), 404, "not_found_error", /^x\/y is not/],
  [400, { ...error(400, "No"), availability: { code: "model_not_found" } }, 404, "not_found_error", /^No$/],
  [
    400,
    error(
      400,
      "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens (…)",
    ),
    400,
    "invalid_request_error",
    /^prompt is too long: 140000 tokens > 131072 maximum$/,
  ],
  [
    400,
    error(
      400,
      "Provider returned error",
      raw({ error: { message: "prompt is too long: 9 tokens > 8 maximum" } }),
    ),
    400,
    "invalid_request_error",
    /^Host: prompt is too long: 9 tokens > 8 maximum$|^prompt is too long: 9 tokens > 8 maximum$/,
  ],
  [400, error(400, "context_length_exceeded"), 400, "invalid_request_error", /^prompt is too long/],
  [
    413,
    error(413, "Too many tokens", kind("context_length_exceeded")),
    400,
    "invalid_request_error",
    /^prompt is too long/,
  ],
  [
    401,
    error(401, "Missing Authentication header"),
    401,
    "authentication_error",
    /rejected the gateway's key: Missing/,
  ],
  [
    401,
    error(401, "User not found.", kind("authentication")),
    401,
    "authentication_error",
    /User not found\.$/,
  ],
  [402, error(402, "requires more credits"), 402, "billing_error", /^requires more credits$/],
  [402, error(402, "No", kind("payment_required")), 402, "billing_error", /^No$/],
  [
    403,
    error(403, "Moderated", { reasons: ["x"], flagged_input: "secret words" }),
    403,
    "permission_error",
    /^Moderated$/,
  ],
  [
    404,
    error(404, "No endpoints found that support tool use"),
    404,
    "not_found_error",
    /^No endpoints found/,
  ],
  [404, error(404, "No", kind("not_found")), 404, "not_found_error", /^No$/],
  [405, error(405, "No"), 400, "invalid_request_error", /^No$/],
  [408, error(408, "Late"), 504, "timeout_error", /^Late$/],
  [409, error(409, "Twice"), 409, "conflict_error", /^Twice$/],
  [410, {}, 404, "not_found_error", /^Upstream returned 410/],
  [413, error(413, "Big", kind("payload_too_large")), 413, "request_too_large", /^Big$/],
  [415, error(415, "No"), 400, "invalid_request_error", /^No$/],
  [422, error(422, "No", kind("unprocessable")), 400, "invalid_request_error", /^No$/],
  [429, error(429, "Slow"), 429, "rate_limit_error", /^Slow$/],
  [
    429,
    error(429, "Provider returned error", raw("Host is busy, slow down")),
    429,
    "rate_limit_error",
    /^Host: Host is busy/,
  ],
  [
    429,
    error(429, "Provider returned error", raw(HTML)),
    429,
    "rate_limit_error",
    /^Provider returned error$/,
  ],
  [429, error(429, "Slow", kind("capacity_exhausted")), 429, "rate_limit_error", /^Slow$/],
  [431, {}, 400, "invalid_request_error", /^Upstream returned 431/],
  [451, error(451, "No"), 400, "invalid_request_error", /^No$/],
  [500, error(500, "Internal Server Error"), 500, "api_error", /^Internal Server Error$/],
  [500, error(500, "No", kind("server")), 500, "api_error", /^No$/],
  [501, error(501, "No"), 502, "api_error", /^No$/],
  [502, error(502, "Provider returned error", raw({ message: "Down" })), 502, "api_error", /^Host: Down$/],
  [502, error(502, "No", kind("provider_unavailable")), 502, "api_error", /^No$/],
  [503, error(503, "No available provider"), 529, "overloaded_error", /^No available provider$/],
  [503, error(503, "No", kind("provider_overloaded")), 529, "overloaded_error", /^No$/],
  [504, error(504, "Late", kind("timeout")), 504, "timeout_error", /^Late$/],
  [524, {}, 504, "timeout_error", /^Upstream returned 524/],
  [529, error(529, "No", kind("temporarily_unavailable")), 529, "overloaded_error", /^No$/],
  [599, {}, 500, "api_error", /^Upstream returned 599/],
  // Without a code, the status counts; with both, the code.
  [
    429,
    { error: { message: "Slow", error_type: "rate_limit_exceeded", http_status: 429 } },
    429,
    "rate_limit_error",
    /^Slow$/,
  ],
  [500, { error: { code: "429", message: "Slow" } }, 429, "rate_limit_error", /^Slow$/],
  // Forms of other hosts.
  [400, { error: "just words" }, 400, "invalid_request_error", /^just words$/],
  [400, { message: "just words" }, 400, "invalid_request_error", /^just words$/],
  [
    400,
    [{ error: { code: 400, message: "Gemini's list" } }],
    400,
    "invalid_request_error",
    /^Gemini's list$/,
  ],
  [400, "words in JSON", 400, "invalid_request_error", /^Upstream returned 400 without a message$/],
  [400, { error: { message: { deep: 1 } } }, 400, "invalid_request_error", /^Upstream returned 400/],
  [400, { error: { message: " " } }, 400, "invalid_request_error", /^Upstream returned 400/],
  [500, null, 500, "api_error", /^Upstream returned 500/],
  [
    400,
    { type: "error", error: { type: "invalid_request_error", message: "Anthropic's" } },
    400,
    "invalid_request_error",
    /^Anthropic's$/,
  ],
  [
    529,
    { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    529,
    "overloaded_error",
    /^Overloaded$/,
  ],
];

test("POST /v1/messages maps every upstream error to Anthropic's", async () => {
  for (const [code, body, status, type, message] of REFUSALS) {
    for (const api of UPSTREAM_APIS) {
      const failure = await askForError(json(code, body), api, api === "chat");
      const what = `${code} ${JSON.stringify(body)}`;
      assert.equal(failure.type, type, what);
      assert.equal(failure.status, status, what);
      assert.match(failure.message, message, what);
      const final = [400, 401, 402, 403, 404, 413].includes(status);
      assert.equal(failure.headers.get("x-should-retry"), final ? "false" : null, what);
      assert.ok(!failure.all.includes("user_of_the_owner") && !failure.all.includes("secret words"), what);
    }
  }
});

test("POST /v1/messages maps an error in a 200 response to its status", async () => {
  for (const [, body, status, type, message] of REFUSALS) {
    if (!hasCode(body)) continue;
    const failure = await askForError(json(200, body), "chat", true);
    assert.equal(failure.type, type, JSON.stringify(body));
    assert.equal(failure.status, status, JSON.stringify(body));
    assert.match(failure.message, new RegExp(message.source.replace("rejected the gateway's key: ", "^")));
  }
});

function hasCode(body: Wire): boolean {
  return typeof body?.error?.code === "number";
}

test("POST /v1/messages forwards a retry delay that is a valid header", async () => {
  const waits: [header: string | undefined, field: unknown, passed: string | null][] = [
    ["7", undefined, "7"],
    [undefined, 7, "7"],
    [undefined, "7", "7"],
    [undefined, 1.5, "2"],
    ["3", 7, "3"],
    ["Wed, 21 Oct 2026 07:28:00 GMT", undefined, "Wed, 21 Oct 2026 07:28:00 GMT"],
    [undefined, undefined, null],
    [undefined, null, null],
    [undefined, "7\r\nset-cookie: a=b", null],
    [undefined, "é", null],
    [undefined, "🙂", null],
    [undefined, { seconds: 7 }, null],
    [undefined, -1, null],
    [undefined, "x".repeat(100_000), null],
  ];
  for (const [header, retry_after, passed] of waits) {
    const body = { error: { code: 429, message: "Slow" }, availability: { retry_after } };
    const failure = await askForError(
      json(429, body, header === undefined ? {} : { "retry-after": header }),
      "chat",
      true,
    );
    assert.equal(failure.status, 429);
    assert.equal(failure.headers.get("retry-after"), passed, JSON.stringify(retry_after));
  }
});

/** Secrets that must not reach a client in any form of an upstream's error. */
const SECRETS = {
  key: "sk-or-v1-0123456789abcdef0123456789abcdef",
  own: "test-key-of-the-gateway",
  bearer: "Bearer abcdefghijklmnop",
  stack: "    at handle (/srv/app/dist/server.js:10:5)\n    at process.processTicksAndRejections",
  python: 'Traceback (most recent call last):\n  File "/srv/app/main.py", line 3, in <module>\n    boom()',
};
const secret = /0123456789abcdef|test-key-of-the-gateway|abcdefghijklmnop|\/srv\/app/;

test("POST /v1/messages removes keys and stack traces from upstream errors", async () => {
  const bodies: Wire[] = [];
  for (const hidden of Object.values(SECRETS)) {
    bodies.push(
      { error: { message: `It broke: ${hidden.split("\n").length > 1 ? "\n" : ""}${hidden}` } },
      { error: { message: `It broke\n${hidden}` } },
      { error: { message: hidden } },
      { error: `It broke\n${hidden}` },
      {
        error: {
          message: "It broke",
          stack: hidden,
          detail: hidden,
          metadata: { headers: hidden, trace: hidden },
        },
      },
      { message: "It broke", stack: hidden, request: { headers: { authorization: hidden } } },
      {
        error: {
          message: "Provider returned error",
          metadata: { raw: `It broke\n${hidden}`, provider_name: "Host" },
        },
      },
      {
        error: {
          message: "Provider returned error",
          metadata: { raw: JSON.stringify({ error: { message: `It\n${hidden}` } }) },
        },
      },
      { detail: hidden },
    );
  }
  for (const body of bodies) {
    for (const status of [400, 401, 500]) {
      const failure = await askForError(json(status, body), "chat", true);
      assert.doesNotMatch(failure.all, secret, JSON.stringify(body));
    }
    const failure = await askForError(
      text(200, `data: ${JSON.stringify({ ...body, error: body.error ?? body })}\n\n`),
      "chat",
      false,
    );
    assert.doesNotMatch(failure.all, secret, JSON.stringify(body));
    const native = await askForError(
      text(200, `event: error\ndata: ${JSON.stringify({ ...body, type: "error" })}\n\n`),
      "native",
      true,
    );
    assert.doesNotMatch(native.all, secret, JSON.stringify(body));
  }
  for (const hidden of Object.values(SECRETS)) {
    for (const body of [`${hidden}`, `<html>${hidden}</html>`, `It broke\n${hidden}`]) {
      assert.doesNotMatch((await askForError(text(500, body, "text/plain"), "chat", true)).all, secret);
      const line = `event: error\n${body.split("\n").map((line) => `data: ${line}`).join("\n")}\n\n`;
      assert.doesNotMatch((await askForError(text(200, line), "chat", true)).all, secret, line);
      assert.doesNotMatch(
        (await askForError(text(200, `error: ${body.replaceAll("\n", "\\n")}\n\n`), "chat", true)).all,
        secret,
      );
    }
  }
});

test("POST /v1/messages does not forward headers of the upstream", async () => {
  const headers = {
    "set-cookie": "a=b",
    "x-powered-by": "x",
    server: "nginx",
    "anthropic-ratelimit-requests-limit": "1",
  };
  const { headers: received } = await askForError(
    json(429, error(429, "Slow"), { ...headers, "content-length": "999" }),
    "chat",
    true,
  );
  for (const name of Object.keys(headers)) assert.equal(received.get(name), null);
});

/** The valid beginning of a stream. */
const BEGUN: Record<UpstreamApi, string> = {
  chat: writeDelta({ content: "Hi" }),
  native: [
    { type: "message_start", message: { id: "msg_1", usage: { input_tokens: 1, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
  ].map(writeEvent).join(""),
  responses: writeEvent({
    type: "response.output_text.delta",
    output_index: 0,
    content_index: 0,
    delta: "Hi",
  }),
};
const WRONG: Record<UpstreamApi, Record<string, [rest: string, type: string]>> = {
  chat: {
    "an error of OpenRouter's": [
      'data: {"error":{"code":429,"message":"Slow"},"choices":[{"finish_reason":"error"}]}',
      "rate_limit_error",
    ],
    "an error with a word for a code": [
      'data: {"error":{"code":"server_error","message":"No"},"choices":[]}',
      "api_error",
    ],
    "an error of a choice": [
      'data: {"choices":[{"error":{"code":502,"message":"No"},"finish_reason":"error"}]}',
      "api_error",
    ],
    "an error without a message": ['data: {"choices":[{"delta":{},"finish_reason":"error"}]}', "api_error"],
    "an error of vLLM's": ['data: {"object":"error","message":"No","code":400}', "invalid_request_error"],
    "an event of that name": [
      'event: error\ndata: {"error":{"message":"No","type":"overloaded_error"}}',
      "overloaded_error",
    ],
    "a bare line": ['error: {"code":500,"message":"No"}', "api_error"],
    "a bare line that is no JSON": ["error: boom", "api_error"],
    "no JSON": ["data: <html>", "api_error"],
    "another kind of JSON": ['data: {"choices":"none"}', "api_error"],
    "arguments that are no object": [
      'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"t","arguments":"[1]"}}]},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]',
      "api_error",
    ],
    "arguments for no tool": [
      'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]',
      "api_error",
    ],
    "the end": ["", "api_error"],
  },
  native: {
    "an error": [
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"No"}}',
      "overloaded_error",
    ],
    "an error without a name": ['data: {"error":{"code":429,"message":"Slow"}}', "rate_limit_error"],
    "no JSON": ["event: ping\ndata: <html>", "api_error"],
    "a delta of no block": [
      'data: {"type":"content_block_delta","index":7,"delta":{"type":"text_delta","text":"x"}}',
      "api_error",
    ],
    "a delta without a delta": ['data: {"type":"content_block_delta","index":0}', "api_error"],
    "a block without a block": ['data: {"type":"content_block_start","index":1}', "api_error"],
    "an index that is a word": ['data: {"type":"content_block_stop","index":"0"}', "api_error"],
    "the end": ["", "api_error"],
  },
  responses: {
    "a nested error": [
      'event: error\ndata: {"type":"error","sequence_number":3,"error":{"type":"tokens","code":"rate_limit_exceeded","message":"Slow"}}',
      "rate_limit_error",
    ],
    "a flat error": [
      'data: {"type":"error","code":"server_error","message":"No","param":null}',
      "api_error",
    ],
    "an error without a type": ['data: {"error":{"code":429,"message":"Slow"}}', "rate_limit_error"],
    "an error in a list": ['data: [{"error":{"code":429,"message":"Slow"}}]', "rate_limit_error"],
    "an error of FastAPI": ['data: {"detail":"No"}', "api_error"],
    "an error of xAI": ['data: {"code":"invalid-argument","error":"No"}', "api_error"],
    "a failed response": [
      'data: {"type":"response.failed","response":{"status":"failed","error":{"code":"server_is_overloaded","message":"No"}}}',
      "overloaded_error",
    ],
    "a failed response without an error": [
      'data: {"type":"response.failed","response":{"status":"failed","error":null}}',
      "api_error",
    ],
    "an invalid image": [
      'data: {"type":"response.failed","response":{"status":"failed","error":{"code":"invalid_image","message":"No"}}}',
      "invalid_request_error",
    ],
    "a response that was cancelled": [
      'data: {"type":"response.completed","response":{"status":"cancelled"}}',
      "overloaded_error",
    ],
    "a bare line": ['error: {"code":500,"message":"No"}', "api_error"],
    "a bare line that is no JSON": ["error: boom", "api_error"],
    "no JSON": ["data: <html>", "api_error"],
    "arguments that are no object": [
      'data: {"type":"response.completed","response":{"status":"completed","output":[{"type":"function_call","call_id":"a","name":"t","arguments":"[1]"}]}}',
      "api_error",
    ],
    "arguments for no tool": [
      'data: {"type":"response.completed","response":{"status":"completed","output":[{"type":"function_call","call_id":"a","arguments":"{}"}]}}',
      "api_error",
    ],
    "the end after [DONE]": ["data: [DONE]", "api_error"],
    "the end": ["", "api_error"],
  },
};

for (const api of UPSTREAM_APIS) {
  test(`POST /v1/messages ends a stream that fails after its start with an error event (${api})`, async () => {
    for (const [name, [rest, type]] of Object.entries(WRONG[api])) {
      for (const ending of name === "the end" ? ["close" as const] : ["close" as const, "open" as const]) {
        const body = [BEGUN[api], rest === "" ? "" : `${rest}\n\n`].map(toBytes);
        const failure = await askForError({ body, ending, ignoresAbort: true }, api, true);
        assert.equal(failure.type, type, name);
        assert.equal(failure.status, 200, name);
        const texts = failure.events.filter(({ delta }) => delta?.type === "text_delta").map(({ delta }) =>
          delta.text
        );
        assert.deepEqual(texts, ["Hi"], `${name}: the client receives the earlier text`);
        const whole = await askForError({ body, ending, ignoresAbort: true }, api, false);
        assert.equal(whole.type, type, name);
        assert.ok(whole.status >= 400, name);
      }
    }
  });
}

test("POST /v1/messages returns max_tokens if the upstream's limit cut the answer", async () => {
  const body = writeChunks(
    { choices: [{ delta: { content: "Hi" }, finish_reason: null }] },
    { choices: [{ delta: {}, finish_reason: "length" }] },
    {
      choices: [{ finish_reason: null }],
      error: { code: 400, message: "Token limit reached" },
      usage: { prompt_tokens: 1 },
    },
  );
  const gateway = createTestGateway({ upstream: text(200, body) });
  const message = await (await gateway.post(minimalRequest("chat"))).json();
  assert.equal(message.stop_reason, "max_tokens");
  assert.equal(message.content[0].text, "Hi");
});

test("POST /v1/messages ignores values that only look like an error", async () => {
  const fine: Record<UpstreamApi, string[]> = {
    chat: ["false", "null", "0", '""'].map((error) =>
      `data: {"error":${error},"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n`
    ),
    native: ["event: news\ndata: {}", 'data: {"type":"news"}', "data: {}", "event: ping\ndata: {}"].flatMap(
      (news) => {
        const rest = [
          { type: "content_block_stop", index: 0 },
          { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
          { type: "message_stop" },
        ].map(writeEvent).join("");
        return [`${news}\n\n${BEGUN.native}${rest}`, `${BEGUN.native}${news}\n\n${rest}`];
      },
    ),
    responses: [
      "event: news\ndata: {}",
      'data: {"type":"response.news","error":null}',
      "data: {}",
      "event: keepalive\ndata: {}",
      'data: {"type":"response.output_text.delta","error":"x","output_index":0,"delta":""}',
      'data: {"type":"response.output_item.added"}',
      'data: {"type":"response.output_item.done","output_index":5,"item":null}',
    ].flatMap((news) => [
      `${news}\n\n${COMPLETE_STREAMS.responses}`,
      `${BEGUN.responses}${news}\n\n${COMPLETE_STREAMS.responses}`,
    ]),
  };
  for (const api of UPSTREAM_APIS) {
    for (const body of fine[api]) {
      const gateway = createTestGateway({ upstream: text(200, body), settings: API_SETTINGS[api] });
      const frames = parseEvents(await (await gateway.post(minimalRequest(api, { stream: true }))).text());
      assert.equal(checkGrammar(frames.filter(({ type }) => type !== "news")), "message_stop", body);
      assert.ok(frames.every(({ type }) => type !== ""));
    }
  }
});

test("POST /v1/messages returns valid counts for invalid usage", async () => {
  const start = 'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n';
  for (const count of ["1e999", "-1e999", "-5", "1.5", '"7"', "{}", "[]", "true", "null"]) {
    for (const details of ["{}", `{"cached_tokens":${count}}`, `{"cache_write_tokens":${count}}`, "null"]) {
      const usage =
        `{"prompt_tokens":${count},"completion_tokens":${count},"prompt_tokens_details":${details}}`;
      const body = `${start}data: {"choices":[],"usage":${usage}}\n\ndata: [DONE]\n\n`;
      const gateway = createTestGateway({ upstream: text(200, body) });
      const message = await (await gateway.post(minimalRequest("chat"))).json();
      assert.equal(message.content?.[0].text, "Hi", body);
      for (const [name, tokens] of Object.entries(message.usage)) {
        assert.ok(Number.isInteger(tokens) && Number(tokens) >= 0, `${name} for ${usage}: ${tokens}`);
      }
      assert.ok(message.usage.output_tokens > 0);
    }
  }
});

test("POST /v1/messages returns an error for bodies nested too deep", async () => {
  const deeps = [
    "[",
    '{"error":',
    '{"error":[',
    '[{"error":{"message":',
    '{"choices":[{"message":{"content":[{"text":',
  ];
  for (const open of deeps) {
    for (const status of [200, 400, 500]) {
      const body = open.repeat(20_000);
      const close = [...body].reverse().map((char) => char === "{" ? "}" : char === "[" ? "]" : "").join("");
      const failure = await askForError(text(status, `${body}1${close}`, "application/json"), "chat", true);
      assert.ok(failure.status >= 400);
    }
  }
});

test("POST /v1/messages ends a stream with events nested too deep in a valid form", async () => {
  const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
  const call = `{"index":0,"id":"a","function":{"name":"t","arguments":${deep}}}`;
  const bodies: Record<UpstreamApi, string> = {
    chat: `data: {"choices":[{"delta":{"tool_calls":[${call}]},"finish_reason":"tool_calls"}]}\n\n`,
    native: `data: {"type":"content_block_delta","index":0,"delta":{"type":"x","x":${deep}}}\n\n`,
    responses:
      `data: {"type":"response.completed","response":{"output":[{"type":"function_call","name":"t","arguments":${deep}}]}}\n\n`,
  };
  for (const api of UPSTREAM_APIS) {
    for (const streamed of [true, false]) {
      const { upstream, clock, post } = createTestGateway({
        upstream: text(200, BEGUN[api] + bodies[api]),
        settings: API_SETTINGS[api],
      });
      const response = await post(minimalRequest(api, { stream: streamed }));
      const body = await response.text();
      const last = streamed ? parseEvents(body).at(-1) : JSON.parse(body);
      assert.equal(response.status, streamed ? 200 : 502);
      assert.match(last.error.message, /nested more than 200 levels deep$/);
      assert.ok(upstream.idle);
      assert.equal(clock.waiting, 0);
    }
  }
});

test("GET /v1/models returns a list for any entries, or an error", async () => {
  const entries = [null, 1, "x", {}, { id: 1 }, { id: "a/b" }, { id: "c/d", created: 1e300 }, {
    id: "e/f",
    created: -1e300,
  }, {
    id: "g/h",
    created: 1.5,
    name: null,
    context_length: null,
    top_provider: null,
  }];
  const lists: [body: string, ids: string[] | undefined][] = [
    [JSON.stringify({ data: entries }), ["a/b", "c/d", "e/f", "g/h"]],
    [JSON.stringify({ data: [] }), []],
    [JSON.stringify({ data: {} }), undefined],
    ["[]", undefined],
    ["null", undefined],
    [HTML, undefined],
    ["", undefined],
  ];
  for (const [body, ids] of lists) {
    for (const version of ["2023-06-01", undefined]) {
      const gateway = createTestGateway({ upstream: new FakeUpstream({}, { models: body }) });
      const headers: Record<string, string> = version === undefined ? {} : { "anthropic-version": version };
      const response = await gateway.get("/v1/models", headers);
      assert.equal(response.status, ids === undefined ? 502 : 200, body);
      const { data, error } = await response.json();
      if (ids === undefined) assert.equal(error.type, "api_error");
      else assert.deepEqual(data.map(({ id }: Wire) => id).filter((id: string) => id.includes("/")), ids);
    }
  }
});

test("GET /v1/models/{id} rejects an unknown name of any length in linear time", async () => {
  const names = Array.from({ length: 400 }, (_one, at) => ({ id: `author/model-of-a-certain-length-${at}` }));
  const upstream = new FakeUpstream({}, { models: JSON.stringify({ data: names }) });
  const response = await createTestGateway({ upstream }).get(`/v1/models/${"x".repeat(1_000_000)}`);
  assert.equal(response.status, 404);
  assert.ok((await response.text()).length < 1000);
});
