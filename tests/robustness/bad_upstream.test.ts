import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { checkGrammar, readFrames, type Wire } from "../properties/grammar.ts";
import {
  type Answer,
  createTestGateway,
  hello,
  post,
  type Road,
  TestUpstream,
  toBytes,
} from "../properties/support.ts";

const HTML = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1>nginx/1.25 at 10.0.0.7</body></html>";
const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  pieces: [toBytes(JSON.stringify(body))],
});
const text = (status: number, body: string, type = "text/event-stream"): Answer => ({
  status,
  headers: { "content-type": type },
  pieces: [toBytes(body)],
});
const withCode = (error: Error, code: string): Error => Object.assign(error, { code });

/** What an answer says, or how it fails. */
interface Told {
  status: number;
  type: string;
  message: string;
  headers: Headers;
  /** The events of a stream that had begun. */
  events: Wire[];
  /** All that the client got, header and body. */
  all: string;
}

/** Asks and reads what comes, which must be an error in Anthropic's words, by status or in the stream. */
async function ask(answer: Answer | Error, road: Road, streamed: boolean): Promise<Told> {
  const upstream = new TestUpstream(answer);
  const { handler, clock } = createTestGateway(upstream);
  const response = await handler(post(hello(road, { stream: streamed })));
  const body = await response.text();
  const inStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const events = inStream ? readFrames(body) : [];
  if (inStream) assert.equal(checkGrammar(events), "error");
  const error = inStream ? events.at(-1) : JSON.parse(body);
  assert.deepEqual(Object.keys(error).sort(), ["error", "request_id", "type"]);
  assert.equal(error.type, "error");
  assert.equal(error.request_id, response.headers.get("request-id"));
  assert.match(error.request_id, /^req_/);
  assert.ok(error.error.message.length > 0 && error.error.message.length < 2500);
  assert.equal(upstream.requests.length, 1, "nobody is asked twice");
  assert.ok(upstream.idle, "the upstream is let go");
  assert.equal(clock.waiting, 0, "no timer is left");
  const all = JSON.stringify([...response.headers]) + body;
  return { status: response.status, ...error.error, headers: response.headers, events, all };
}

/** An upstream that is out of order, before it has said a word: status, and what the message must say. */
const BROKEN: Record<string, [answer: Answer | Error, status: number, message: RegExp]> = {
  "a refused connection": [
    Object.assign(new TypeError("fetch failed"), {
      cause: withCode(new Error("connect 10.0.0.7:80"), "ECONNREFUSED"),
    }),
    502,
    /^Cannot reach upstream "openrouter": ECONNREFUSED$/,
  ],
  "a name that nobody has": [
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
  "HTML and 502": [text(502, HTML, "text/html"), 502, /^Upstream answered 502 without saying why$/],
  "HTML and 404": [text(404, HTML, "text/html"), 404, /^Upstream answered 404 without saying why$/],
  "words": [text(200, "Hello", "text/plain"), 502, /it is text\/plain, neither/],
  "a picture": [text(200, "\x89PNG", "image/png"), 502, /it is image\/png, neither/],
  "nothing": [text(200, ""), 502, /stream ended before its answer did$/],
  "nothing, as JSON": [text(200, "", "application/json"), 502, /it is not JSON$/],
  "nothing, of no type": [
    { status: 200, headers: {}, pieces: [] },
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
    { headers: { "content-type": "text/event-stream" }, pieces: [gzipSync("data: {}\n\n")] },
    502,
    /Cannot (read|finish)/,
  ],
  "an event past all measure": [
    {
      pieces: [toBytes("data: "), ...Array(17).fill(new Uint8Array(1024 * 1024).fill(120))],
      ending: "silence",
      deaf: true,
    },
    502,
    /an event is larger than 16 MiB$/,
  ],
  "a whole answer past all measure": [
    {
      headers: { "content-type": "application/json" },
      pieces: Array(33).fill(new Uint8Array(1024 * 1024).fill(32)),
      ending: "silence",
      deaf: true,
    },
    502,
    /it is larger than 32 MiB$/,
  ],
  "an error past all measure": [
    {
      status: 500,
      headers: {},
      pieces: Array(9).fill(new Uint8Array(64 * 1024).fill(32)),
      ending: "silence",
      deaf: true,
    },
    500,
    /^Upstream answered 500 without saying why$/,
  ],
  "JSON that breaks off": [
    { headers: { "content-type": "application/json" }, pieces: [toBytes('{"a":')], ending: "reset" },
    502,
    /it is incomplete$/,
  ],
  "an error that breaks off": [
    { status: 429, headers: {}, pieces: [toBytes('{"error":')], ending: "reset" },
    429,
    /^Upstream answered 429 without saying why$/,
  ],
};

for (const [name, [answer, status, message]] of Object.entries(BROKEN)) {
  test(`an upstream that answers with ${name} is told as status ${status}`, async () => {
    for (const road of ["chat", "native"] as const) {
      for (const streamed of [true, false]) {
        const told = await ask(answer, road, streamed);
        assert.equal(told.status, status);
        assert.match(told.message, message);
      }
    }
  });
}

test("a redirect is never followed", async () => {
  for (const status of [300, 301, 302, 303, 304, 305, 307, 308]) {
    const location = "https://elsewhere.invalid/v1/messages";
    const told = await ask({ status, headers: { location }, pieces: [toBytes(location)] }, "chat", true);
    assert.equal(told.status, 502);
    assert.equal(told.message, `Cannot use upstream "openrouter": it redirects (${status})`);
    assert.ok(!told.all.includes("elsewhere"));
  }
  const upstream = new TestUpstream({});
  const { handler } = createTestGateway(upstream);
  await handler(post(hello("chat")));
  assert.equal(upstream.requests[0]?.init.redirect, "manual");
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

/** What OpenRouter answers, in its old form and its new one, and what Anthropic's API would say for it. */
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
  [410, {}, 404, "not_found_error", /^Upstream answered 410/],
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
  [431, {}, 400, "invalid_request_error", /^Upstream answered 431/],
  [451, error(451, "No"), 400, "invalid_request_error", /^No$/],
  [500, error(500, "Internal Server Error"), 500, "api_error", /^Internal Server Error$/],
  [500, error(500, "No", kind("server")), 500, "api_error", /^No$/],
  [501, error(501, "No"), 502, "api_error", /^No$/],
  [502, error(502, "Provider returned error", raw({ message: "Down" })), 502, "api_error", /^Host: Down$/],
  [502, error(502, "No", kind("provider_unavailable")), 502, "api_error", /^No$/],
  [503, error(503, "No available provider"), 529, "overloaded_error", /^No available provider$/],
  [503, error(503, "No", kind("provider_overloaded")), 529, "overloaded_error", /^No$/],
  [504, error(504, "Late", kind("timeout")), 504, "timeout_error", /^Late$/],
  [524, {}, 504, "timeout_error", /^Upstream answered 524/],
  [529, error(529, "No", kind("temporarily_unavailable")), 529, "overloaded_error", /^No$/],
  [599, {}, 500, "api_error", /^Upstream answered 599/],
  // What has no code speaks by its status; what has both, by its code.
  [
    429,
    { error: { message: "Slow", error_type: "rate_limit_exceeded", http_status: 429 } },
    429,
    "rate_limit_error",
    /^Slow$/,
  ],
  [500, { error: { code: "429", message: "Slow" } }, 429, "rate_limit_error", /^Slow$/],
  // Other hosts, other habits.
  [400, { error: "just words" }, 400, "invalid_request_error", /^just words$/],
  [400, { message: "just words" }, 400, "invalid_request_error", /^just words$/],
  [
    400,
    [{ error: { code: 400, message: "Gemini's list" } }],
    400,
    "invalid_request_error",
    /^Gemini's list$/,
  ],
  [400, "words in JSON", 400, "invalid_request_error", /^Upstream answered 400 without saying why$/],
  [400, { error: { message: { deep: 1 } } }, 400, "invalid_request_error", /^Upstream answered 400/],
  [400, { error: { message: " " } }, 400, "invalid_request_error", /^Upstream answered 400/],
  [500, null, 500, "api_error", /^Upstream answered 500/],
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

test("every refusal of an upstream is said as Anthropic's API would say it", async () => {
  for (const [code, body, status, type, message] of REFUSALS) {
    for (const road of ["chat", "native"] as const) {
      const told = await ask(json(code, body), road, road === "chat");
      const what = `${code} ${JSON.stringify(body)}`;
      assert.equal(told.type, type, what);
      assert.equal(told.status, status, what);
      assert.match(told.message, message, what);
      const final = [400, 401, 402, 403, 404, 413].includes(status);
      assert.equal(told.headers.get("x-should-retry"), final ? "false" : null, what);
      assert.ok(!told.all.includes("user_of_the_owner") && !told.all.includes("secret words"), what);
    }
  }
});

test("the same words are a status from an upstream that answers 200 with JSON", async () => {
  for (const [, body, status, type, message] of REFUSALS) {
    if (!hasCode(body)) continue;
    const told = await ask(json(200, body), "chat", true);
    assert.equal(told.type, type, JSON.stringify(body));
    assert.equal(told.status, status, JSON.stringify(body));
    assert.match(told.message, new RegExp(message.source.replace("rejected the gateway's key: ", "^")));
  }
});

function hasCode(body: Wire): boolean {
  return typeof body?.error?.code === "number";
}

test("how long to wait is passed on, as far as a header can say it", async () => {
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
    const told = await ask(
      json(429, body, header === undefined ? {} : { "retry-after": header }),
      "chat",
      true,
    );
    assert.equal(told.status, 429);
    assert.equal(told.headers.get("retry-after"), passed, JSON.stringify(retry_after));
  }
});

/** What must never reach a client, however an upstream hands it over. */
const SECRETS = {
  key: "sk-or-v1-0123456789abcdef0123456789abcdef",
  own: "test-key-of-the-gateway",
  bearer: "Bearer abcdefghijklmnop",
  stack: "    at handle (/srv/app/dist/server.js:10:5)\n    at process.processTicksAndRejections",
  python: 'Traceback (most recent call last):\n  File "/srv/app/main.py", line 3, in <module>\n    boom()',
};
const secret = /0123456789abcdef|test-key-of-the-gateway|abcdefghijklmnop|\/srv\/app/;

test("keys and stacks in an upstream's errors do not reach the client", async () => {
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
      const told = await ask(json(status, body), "chat", true);
      assert.doesNotMatch(told.all, secret, JSON.stringify(body));
    }
    const told = await ask(
      text(200, `data: ${JSON.stringify({ ...body, error: body.error ?? body })}\n\n`),
      "chat",
      false,
    );
    assert.doesNotMatch(told.all, secret, JSON.stringify(body));
    const native = await ask(
      text(200, `event: error\ndata: ${JSON.stringify({ ...body, type: "error" })}\n\n`),
      "native",
      true,
    );
    assert.doesNotMatch(native.all, secret, JSON.stringify(body));
  }
  for (const hidden of Object.values(SECRETS)) {
    for (const body of [`${hidden}`, `<html>${hidden}</html>`, `It broke\n${hidden}`]) {
      assert.doesNotMatch((await ask(text(500, body, "text/plain"), "chat", true)).all, secret);
      const line = `event: error\n${body.split("\n").map((line) => `data: ${line}`).join("\n")}\n\n`;
      assert.doesNotMatch((await ask(text(200, line), "chat", true)).all, secret, line);
      assert.doesNotMatch(
        (await ask(text(200, `error: ${body.replaceAll("\n", "\\n")}\n\n`), "chat", true)).all,
        secret,
      );
    }
  }
});

test("headers of an upstream do not reach the client", async () => {
  const headers = {
    "set-cookie": "a=b",
    "x-powered-by": "x",
    server: "nginx",
    "anthropic-ratelimit-requests-limit": "1",
  };
  const { headers: told } = await ask(
    json(429, error(429, "Slow"), { ...headers, "content-length": "999" }),
    "chat",
    true,
  );
  for (const name of Object.keys(headers)) assert.equal(told.get(name), null);
});

/** A stream that begins well, and how it goes wrong after that. */
const BEGUN: Record<Road, string> = {
  chat: 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n',
  native: [
    { type: "message_start", message: { id: "msg_1", usage: { input_tokens: 1, output_tokens: 1 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
  ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
};
const WRONG: Record<Road, Record<string, [rest: string, type: string]>> = {
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
    "an error without words": ['data: {"choices":[{"delta":{},"finish_reason":"error"}]}', "api_error"],
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
};

for (const road of ["chat", "native"] as const) {
  test(`a stream that goes wrong after its beginning says so and ends (${road})`, async () => {
    for (const [name, [rest, type]] of Object.entries(WRONG[road])) {
      for (const ending of name === "the end" ? ["close" as const] : ["close" as const, "silence" as const]) {
        const pieces = [BEGUN[road], rest === "" ? "" : `${rest}\n\n`].map(toBytes);
        const told = await ask({ pieces, ending, deaf: true }, road, true);
        assert.equal(told.type, type, name);
        assert.equal(told.status, 200, name);
        const said = told.events.filter(({ delta }) => delta?.type === "text_delta").map(({ delta }) =>
          delta.text
        );
        assert.deepEqual(said, ["Hi"], `${name}: what was said before is told`);
        const whole = await ask({ pieces, ending, deaf: true }, road, false);
        assert.equal(whole.type, type, name);
        assert.ok(whole.status >= 400, name);
      }
    }
  });
}

test("an answer cut by the upstream's own limit is no failure", async () => {
  const chunks = [
    { choices: [{ delta: { content: "Hi" }, finish_reason: null }] },
    { choices: [{ delta: {}, finish_reason: "length" }] },
    {
      choices: [{ finish_reason: null }],
      error: { code: 400, message: "Token limit reached" },
      usage: { prompt_tokens: 1 },
    },
  ];
  const body = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
  const { handler } = createTestGateway(new TestUpstream(text(200, `${body}data: [DONE]\n\n`)));
  const message = await (await handler(post(hello("chat")))).json();
  assert.equal(message.stop_reason, "max_tokens");
  assert.equal(message.content[0].text, "Hi");
});

test("what only looks like a failure is none", async () => {
  const fine: Record<Road, string[]> = {
    chat: ["false", "null", "0", '""'].map((error) =>
      `data: {"error":${error},"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n`
    ),
    native: ["event: news\ndata: {}", 'data: {"type":"news"}', "data: {}", "event: ping\ndata: {}"].flatMap(
      (news) => {
        const rest = [
          { type: "content_block_stop", index: 0 },
          { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 1 } },
          { type: "message_stop" },
        ].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
        return [`${news}\n\n${BEGUN.native}${rest}`, `${BEGUN.native}${news}\n\n${rest}`];
      },
    ),
  };
  for (const road of ["chat", "native"] as const) {
    for (const body of fine[road]) {
      const { handler } = createTestGateway(new TestUpstream(text(200, body)));
      const frames = readFrames(await (await handler(post(hello(road, { stream: true })))).text());
      assert.equal(checkGrammar(frames.filter(({ type }) => type !== "news")), "message_stop", body);
      assert.ok(frames.every(({ type }) => type !== ""));
    }
  }
});

test("counts that are none fail no answer, and no count is one that no client can read", async () => {
  const start = 'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n';
  for (const count of ["1e999", "-1e999", "-5", "1.5", '"7"', "{}", "[]", "true", "null"]) {
    for (const details of ["{}", `{"cached_tokens":${count}}`, `{"cache_write_tokens":${count}}`, "null"]) {
      const usage =
        `{"prompt_tokens":${count},"completion_tokens":${count},"prompt_tokens_details":${details}}`;
      const body = `${start}data: {"choices":[],"usage":${usage}}\n\ndata: [DONE]\n\n`;
      const { handler } = createTestGateway(new TestUpstream(text(200, body)));
      const message = await (await handler(post(hello("chat")))).json();
      assert.equal(message.content?.[0].text, "Hi", body);
      for (const [name, tokens] of Object.entries(message.usage)) {
        assert.ok(Number.isInteger(tokens) && Number(tokens) >= 0, `${name} for ${usage}: ${tokens}`);
      }
      assert.ok(message.usage.output_tokens > 0);
    }
  }
});

test("bodies past all depth, wherever they come from, end in an answer", async () => {
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
      const told = await ask(text(status, `${body}1${close}`, "application/json"), "chat", true);
      assert.ok(told.status >= 400);
    }
  }
});

test("events past all depth end in a legal stream", async () => {
  const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
  const call = `{"index":0,"id":"a","function":{"name":"t","arguments":${deep}}}`;
  const bodies: Record<Road, string> = {
    chat: `data: {"choices":[{"delta":{"tool_calls":[${call}]},"finish_reason":"tool_calls"}]}\n\n`,
    native: `data: {"type":"content_block_delta","index":0,"delta":{"type":"x","x":${deep}}}\n\n`,
  };
  for (const road of ["chat", "native"] as const) {
    for (const streamed of [true, false]) {
      const upstream = new TestUpstream(text(200, BEGUN[road] + bodies[road]));
      const { handler, clock } = createTestGateway(upstream);
      const response = await handler(post(hello(road, { stream: streamed })));
      const body = await response.text();
      // Engines differ in how deep they can write: it works, or it is told as a failure.
      if (streamed) assert.notEqual(checkGrammar(readFrames(body)), "cut");
      else assert.ok(["message", "error"].includes(JSON.parse(body).type));
      assert.ok(upstream.idle);
      assert.equal(clock.waiting, 0);
    }
  }
});

test("a list of models of any kind is a list, or says why it is none", async () => {
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
    for (const headers of [{ "anthropic-version": "2023-06-01" }, {}]) {
      const upstream = new TestUpstream({});
      upstream.fetch = () =>
        Promise.resolve(new Response(body, { headers: { "content-type": "application/json" } }));
      const { handler } = createTestGateway(upstream);
      const response = await handler(
        new Request("http://localhost/v1/models", { headers: headers as HeadersInit }),
      );
      assert.equal(response.status, ids === undefined ? 502 : 200, body);
      const { data, error } = await response.json();
      if (ids === undefined) assert.equal(error.type, "api_error");
      else assert.deepEqual(data.map(({ id }: Wire) => id).filter((id: string) => id.includes("/")), ids);
    }
  }
});

test("a name that no list has is refused in reasonable time, however long it is", async () => {
  const names = Array.from({ length: 400 }, (_one, at) => ({ id: `author/model-of-a-certain-length-${at}` }));
  const upstream = new TestUpstream({});
  upstream.fetch = () => Promise.resolve(Response.json({ data: names }));
  const { handler } = createTestGateway(upstream);
  const response = await handler(new Request(`http://localhost/v1/models/${"x".repeat(1_000_000)}`));
  assert.equal(response.status, 404);
  assert.ok((await response.text()).length < 1000);
});
