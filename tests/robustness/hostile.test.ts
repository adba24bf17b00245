import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { captureLog } from "../kit/log.ts";
import {
  API_SETTINGS,
  minimalRequest,
  MODELS,
  UPSTREAM_APIS,
  type UpstreamApi,
} from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";
import type { FakeResponse } from "../kit/upstream.ts";

const settings = { OPENROUTER_API_KEY: "key-of-the-gateway" };

/** Creates a gateway whose upstream sends a complete stream, or another response. */
function createGatewayWith(upstream: FakeResponse, api: UpstreamApi = "chat"): TestGateway {
  return createTestGateway({ settings: { ...settings, ...API_SETTINGS[api] }, upstream });
}

/** Headers that a response of the gateway may have. */
const GATEWAY_HEADERS = [
  "cache-control",
  "content-length",
  "content-type",
  "request-id",
  "retry-after",
  "x-correlation-id",
  "x-gateway-loss",
  "x-gateway-model",
  "x-should-retry",
  "x-token-count-source",
];
const UPSTREAM_HEADERS = {
  "set-cookie": "session=evil",
  "access-control-allow-origin": "*",
  "access-control-allow-credentials": "true",
  "strict-transport-security": "max-age=1",
  "request-id": "evil-id",
  "x-request-id": "evil-id",
  "anthropic-organization-id": "evil-organization",
  "x-should-retry": "evil",
  "x-gateway-model": "evil",
  "content-security-policy": "evil",
  "www-authenticate": "evil",
  "location": "https://evil.test",
  "server": "evil",
  "via": "evil",
  "cf-ray": "evil",
  "retry-after": "evil",
};

for (const api of UPSTREAM_APIS) {
  for (const status of [200, 302, 400, 401, 429, 503]) {
    test(`POST /v1/messages forwards no upstream header with ${status} (${api})`, async () => {
      const json = { "content-type": "application/json" };
      const headers = {
        ...UPSTREAM_HEADERS,
        ...(status === 200 ? { "content-type": "text/event-stream" } : json),
      };
      const body = status === 200 ? COMPLETE_STREAMS[api] : '{"error":{"message":"No"}}';
      const gateway = createGatewayWith({ status, headers, body }, api);
      for (const path of ["/v1/messages", "/v1/messages/stream", "/v1/messages/count_tokens"]) {
        const response = await gateway.post(minimalRequest(api), { path });
        await response.text();
        const received = [...response.headers];
        assert.deepEqual(
          received.map(([name]) => name).filter((name) => !GATEWAY_HEADERS.includes(name)),
          [],
        );
        assert.equal(JSON.stringify(received).includes("evil"), false, JSON.stringify(received));
      }
      assert.ok(gateway.upstream.requests.length >= 2);
    });
  }
}

/** Values of an upstream's `retry-after`, and the value that the client receives. */
const WAITS: [sent: string, received: string | null][] = [
  ["7", "7"],
  ["0.5", "0.5"],
  ["Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"],
  ["-1", null],
  ["1e99", null],
  ["soon", null],
  ["Monday", null],
  ["2026-10-21", null],
  ["7, 8", null],
  ["\u001b[31m7", null],
  ["9".repeat(400), null],
];

for (const [sent, received] of WAITS) {
  test(`POST /v1/messages ${received === null ? "drops" : "forwards"} retry-after ${JSON.stringify(sent.slice(0, 40))}`, async () => {
    const headers = { "content-type": "application/json", "retry-after": sent };
    const gateway = createGatewayWith({ status: 429, headers, body: "{}" });
    const response = await gateway.post(minimalRequest("chat"));
    await response.text();
    assert.deepEqual([response.status, response.headers.get("retry-after")], [429, received]);
  });
}

const ESCAPES = "\u001b[2J\u009b31m\u0007";
const FORGED = `x\r\nset-cookie: evil=1\r\n\r\n{"level":"ERROR"}\u2028${ESCAPES}`;

test("POST /v1/messages keeps client input from forging a header or a log line", async () => {
  for (const api of UPSTREAM_APIS) {
    const gateway = createGatewayWith({ body: COMPLETE_STREAMS[api] }, api);
    const lines = await captureLog(async () => {
      for (const model of [FORGED, `vendor/${FORGED}`, `demo/${FORGED}`]) {
        for (const stream of [true, false]) {
          const headers = {
            "x-correlation-id": ESCAPES,
            "x-claude-code-session-id": ESCAPES,
            "user-agent": ESCAPES,
          };
          const body = minimalRequest(api, { [FORGED]: 1, stream, model });
          const response = await gateway.post(body, { headers, path: `/v1/messages?${FORGED}` });
          await response.text();
          for (const [name, value] of response.headers) {
            assert.match(name, /^[a-z-]+$/);
            assert.match(value, /^[ -~]*$/, name);
            assert.equal(GATEWAY_HEADERS.includes(name), true, name);
          }
          assert.equal(response.headers.get("x-correlation-id"), response.headers.get("request-id"));
        }
      }
      const forged = encodeURIComponent(FORGED);
      await (await gateway.get(`/v1/models/${forged}`)).text();
      await (await gateway.get(`/${forged}`)).text();
    });
    assert.equal(lines.length, 8);
    for (const line of lines) {
      assert.match(line, /^[^\p{Cc}\u2028\u2029]*$/u);
      assert.equal(JSON.parse(line).message, "request");
    }
    const sent = gateway.upstream.requests.map(({ headers }) => [...headers]);
    assert.equal(/\\u001b|\\u009b|evil/.test(JSON.stringify(sent)), false);
  }
});

test("x-correlation-id is returned and logged if it is valid", async () => {
  for (const id of ["a-1_B.2", "x".repeat(128)]) {
    const lines = await captureLog(async () => {
      const response = await createTestGateway().get("/health", { "x-correlation-id": id });
      assert.equal(response.headers.get("x-correlation-id"), id);
    });
    assert.equal(JSON.parse(lines[0] ?? "").correlationId, id);
  }
});

const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];

/** Returns a request with names of `Object.prototype` at every place at which a client may choose a name. */
function pollute(model: string): string {
  const evil = NAMES.map((name) => `${JSON.stringify(name)}:{"polluted":1,"type":"polluted"}`).join();
  const tools = NAMES.map((name) =>
    `{"name":${JSON.stringify(name)},"input_schema":{"type":"object","properties":{${evil}},"required":${
      JSON.stringify(NAMES)
    },${evil}},${evil}}`
  );
  const calls = NAMES.map((name) =>
    `{"type":"tool_use","id":${JSON.stringify(name)},"name":${
      JSON.stringify(name)
    },"input":{${evil}},${evil}}`
  );
  const results = NAMES.map((name) =>
    `{"type":"tool_result","tool_use_id":${JSON.stringify(name)},"content":"r",${evil}}`
  );
  return `{"model":${JSON.stringify(model)},"max_tokens":9,"metadata":{${evil}},"tools":[${tools}],
    "messages":[{"role":"user","content":"call __proto__"},{"role":"assistant","content":[${calls}],${evil}},
    {"role":"user","content":[${results},{"type":"text","text":"call __proto__ with constructor",${evil}}]}],${evil}}`;
}

/** Returns an answer that calls every tool with such names in its arguments. */
function pollutingAnswer(): string {
  const input = `{${NAMES.map((name) => `"${name}":{"polluted":1}`).join()}}`;
  const calls = NAMES.map((name, index) => ({ index, id: name, function: { name, arguments: input } }));
  const chunk = { choices: [{ delta: { tool_calls: calls }, finish_reason: "tool_calls" }] };
  const usage = '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1,"__proto__":{"polluted":1}}}';
  return `data: ${JSON.stringify(chunk)}\n\ndata: ${usage}\n\ndata: [DONE]\n\n`;
}

test("POST /v1/messages treats the names of Object.prototype as plain names", async () => {
  const before = Reflect.ownKeys(Object.prototype).length;
  const gateway = createGatewayWith({ body: pollutingAnswer() });
  for (const model of ["vendor/model", "demo/echo", MODELS.native]) {
    for (const path of ["/v1/messages", "/v1/messages/stream", "/v1/messages/count_tokens"]) {
      const response = await gateway.post(pollute(model), { path });
      const text = await response.text();
      // The native upstream sends chat completions here, which is an error of that upstream.
      assert.equal(response.status, model === MODELS.native && !path.endsWith("tokens") ? 502 : 200, text);
      if (model === "vendor/model" && path === "/v1/messages") {
        const calls = JSON.parse(text).content;
        assert.deepEqual(calls.map(({ name }: { name: string }) => name), NAMES);
        for (const { input } of calls) assert.deepEqual(Object.keys(input).sort(), NAMES.toSorted());
      }
    }
  }
  for (const name of NAMES) {
    const response = await gateway.post(minimalRequest("chat", { model: name }));
    await response.text();
    assert.equal(response.headers.get("x-gateway-model"), `openrouter/${name}`);
    const listed = await gateway.get(`/v1/models/${name}`);
    assert.ok(listed.status >= 400, await listed.text());
  }
  assert.equal(Reflect.get({}, "polluted"), undefined);
  assert.equal(Reflect.ownKeys(Object.prototype).length, before);
});

/** Numbers that are parsed as infinite, and the path in the error. */
const INFINITE: [body: string, path: string][] = [
  ['"temperature":1e999', "temperature"],
  ['"field_of_a_later_day":{"a":[1,-1e999]}', "field_of_a_later_day.a.1"],
  ['"tools":[{"name":"t","input_schema":{"type":"object","maximum":1e400}}]', "tools.0.input_schema.maximum"],
  [
    '"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"t","input":{"a":1e309}}]}]',
    "messages.0.content.0.input.a",
  ],
  [`"x":${"9".repeat(400)}`, "x"],
];

for (const [field, path] of INFINITE) {
  test(`POST /v1/messages rejects a number that is not finite: ${field.slice(0, 60)}`, async () => {
    for (const api of UPSTREAM_APIS) {
      const gateway = createGatewayWith({ body: COMPLETE_STREAMS[api] }, api);
      const own = Object.entries(minimalRequest(api)).filter(([name]) => !field.startsWith(`"${name}"`));
      const body = `{${field},${JSON.stringify(Object.fromEntries(own)).slice(1)}`;
      const response = await gateway.post(body);
      const { error } = await response.json();
      assert.deepEqual([response.status, error.message], [400, `${path}: Input should be a finite number`]);
      assert.equal(gateway.upstream.requests.length, 0);
    }
  });
}

test("POST /v1/messages limits the body while it is read, for any content-length", async () => {
  let given = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      given += 1024 * 1024;
      controller.enqueue(new Uint8Array(1024 * 1024).fill(32));
    },
  }, { highWaterMark: 0 });
  const gateway = createGatewayWith({ body: COMPLETE_STREAMS.chat });
  const response = await gateway.post(body, { headers: { "content-length": "2" } });
  const { error } = await response.json();
  assert.deepEqual([response.status, error.type], [413, "request_too_large"]);
  assert.ok(given <= 35 * 1024 * 1024, `${given} bytes were read`);
});

/** Values that an upstream's body may throw. */
const THROWN: unknown[] = [
  new TypeError("bug at /home/me/x.ts"),
  "text",
  undefined,
  null,
  7,
  { status: 200 },
  [],
];

for (const thrown of THROWN) {
  test(`POST /v1/messages returns an error if the upstream's body throws ${String(thrown)}`, async () => {
    for (const path of ["/v1/messages", "/v1/messages/stream"]) {
      const fetch = () => {
        const body = {
          getReader: () => {
            throw thrown;
          },
        };
        const headers = new Headers({ "content-type": "application/json" });
        return Promise.resolve(JSON.parse("{}", () => ({ ok: true, status: 200, headers, body })));
      };
      const response = await createTestGateway({ fetch }).post(minimalRequest("chat"), { path });
      const text = await response.text();
      assert.ok(response.status >= 500, text);
      const { type, request_id } = JSON.parse(text);
      assert.deepEqual([type, request_id], ["error", response.headers.get("request-id")]);
      assert.equal(/bug|home|\.ts|stack/.test(text), false, text);
    }
  });
}

test("POST /v1/messages ends when the client disconnects, for any abort reason", async () => {
  for (const reason of [undefined, "gone", 7, null, new Error("gone"), { message: "gone" }]) {
    const { upstream, post } = createTestGateway({ upstream: "no headers" });
    const client = new AbortController();
    const answer = post(minimalRequest("chat"), { signal: client.signal });
    await upstream.stalled;
    client.abort(reason);
    assert.equal((await answer).status, 499);
    assert.ok(upstream.idle);
  }
});

test("POST /v1/messages returns a generic message for a bug, and logs the cause", async () => {
  const bug = new Error("secret of the house");
  const upstream = { headers: { "content-type": "application/json" }, body: "{}" };
  const clock = new FakeClock();
  // The timer of the whole request.
  clock.after = (ms) => {
    if (ms === 3_600_000) throw bug;
    return () => {};
  };
  const gateway = createTestGateway({ upstream, clock });
  const lines = await captureLog(async () => {
    const response = await gateway.post(minimalRequest("chat"));
    const { error } = await response.json();
    assert.deepEqual([response.status, error], [500, {
      type: "api_error",
      message: "Internal server error",
    }]);
  });
  assert.match(lines.join("\n"), /secret of the house/);
});
