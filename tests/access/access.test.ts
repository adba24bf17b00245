import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { dig } from "../kit/json.ts";
import { captureLog } from "../kit/log.ts";
import { API_SETTINGS, minimalRequest, UPSTREAM_APIS } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeDelta } from "../kit/streams.ts";

const ALICE = "alice-0123456789abcdef";
const BOB = "bob-fedcba9876543210";
const ADMIN_KEY = "owner-0123456789abcdef";
// printf %s "$BOB" | sha256sum
const BOB_DIGEST = "sha256:c445ccb0c05e4c800d8eecf2b009ab2662b1f59bbd77332d74366b0a2abd4382";

/** Creates a gateway with keys. */
function createGatewayWithKeys(settings: Settings = {}): TestGateway {
  const keys: Settings = {
    GATEWAY_API_KEYS: `alice:${ALICE},bob:${BOB_DIGEST}`,
    GATEWAY_ADMIN_KEY: ADMIN_KEY,
    OPENROUTER_API_KEY: "key-of-the-gateway",
    ...settings,
  };
  return createTestGateway({ settings: keys, upstream: { body: COMPLETE_STREAMS.chat } });
}

/** Sends a request of any method; `POST` has the body of a message. */
function send(
  gateway: TestGateway,
  [method, path]: readonly [string, string],
  headers: Record<string, string> = {},
): Promise<Response> {
  if (method === "POST") return gateway.post(minimalRequest("chat"), { path, headers });
  return gateway.fetch(new Request(`http://gateway.test${path}`, { method, headers }));
}

/** All routes, and some paths without one. */
const ROUTES: [method: string, path: string][] = [
  ["POST", "/v1/messages"],
  ["POST", "/v1/v1/messages"],
  ["POST", "/v1/messages/stream"],
  ["POST", "/v1/messages/count_tokens"],
  ["GET", "/v1/models"],
  ["GET", "/v1/models/demo/echo"],
  ["HEAD", "/v1/models"],
  ["GET", "/"],
  ["GET", "/status"],
  ["HEAD", "/status"],
  ["GET", "/api/hello"],
  ["POST", "/health"],
  ["GET", "/health/"],
  ["GET", "//health"],
  ["GET", "/healthz"],
  ["GET", "/%68ealth"],
  ["POST", "/mcp"],
  ["GET", "/mcp"],
  ["DELETE", "/mcp"],
  ["GET", "/unknown"],
  ["POST", "/unknown"],
  ["DELETE", "/v1/models"],
  ["OPTIONS", "/v1/messages"],
];

/** They do not name the header: at a message that does, Claude Code tells its user to run /login. */
const NO_KEY = "Cannot authenticate: the request has no key of the gateway";
const WRONG_KEY = "Cannot authenticate: the key is not one of the gateway's keys";

/** Credentials that are rejected, in one header or both, and the message. */
const REJECTED: Record<string, [headers: Record<string, string>, message: string]> = {
  "no key": [{}, NO_KEY],
  "an empty key": [{ "x-api-key": "" }, NO_KEY],
  "space for a key": [{ "x-api-key": "  " }, NO_KEY],
  "another key": [{ "x-api-key": "mallory-0123456789" }, WRONG_KEY],
  "undefined": [{ authorization: "Bearer undefined" }, WRONG_KEY],
  "null": [{ "x-api-key": "null" }, WRONG_KEY],
  "the beginning of a key": [{ "x-api-key": ALICE.slice(0, -1) }, WRONG_KEY],
  "a key and more": [{ "x-api-key": `${ALICE}0` }, WRONG_KEY],
  "two keys in one": [{ "x-api-key": `${ALICE}, ${ALICE}` }, WRONG_KEY],
  "a key in capitals": [{ "x-api-key": ALICE.toUpperCase() }, WRONG_KEY],
  "a name": [{ "x-api-key": "alice" }, WRONG_KEY],
  "a name and its key": [{ "x-api-key": `alice:${ALICE}` }, WRONG_KEY],
  "the digest of a key": [{ "x-api-key": BOB_DIGEST }, WRONG_KEY],
  "the digits of a digest": [{ "x-api-key": BOB_DIGEST.slice(7) }, WRONG_KEY],
  "the upstream's key": [{ "x-api-key": "key-of-the-gateway" }, WRONG_KEY],
  "a name that every object has": [{ "x-api-key": "__proto__" }, WRONG_KEY],
  "a key without its scheme": [{ authorization: ALICE }, NO_KEY],
  "a key of another scheme": [{ authorization: `Basic ${ALICE}` }, NO_KEY],
  "a key with a space": [{ authorization: `Bearer ${ALICE} x` }, NO_KEY],
  "a key in another place": [
    { cookie: `x-api-key=${ALICE}`, "api-key": ALICE },
    NO_KEY,
  ],
};

test("every route rejects a request without a valid key and calls no upstream", async () => {
  const gateway = createGatewayWithKeys();
  for (const [method, path] of ROUTES) {
    for (const [name, [headers, message]] of Object.entries(REJECTED)) {
      const response = await send(gateway, [method, path], headers);
      const text = await response.text();
      assert.equal(response.status, 401, `${method} ${path} with ${name}: ${text}`);
      assert.equal(response.headers.get("x-should-retry"), "false");
      const id = response.headers.get("request-id");
      assert.match(id ?? "", /^req_/);
      if (method === "HEAD") assert.equal(text, "");
      else {
        const error = { type: "authentication_error", message };
        assert.deepEqual(JSON.parse(text), { type: "error", error, request_id: id });
      }
    }
  }
  assert.equal(gateway.upstream.requests.length, 0);
});

test("every route rejects a key in the query", async () => {
  for (const name of ["x-api-key", "api_key", "key", "token"]) {
    const path = `/v1/models?${name}=${ALICE}`;
    assert.equal((await createGatewayWithKeys().get(path)).status, 401);
  }
});

test("liveness routes need no key", async () => {
  const gateway = createGatewayWithKeys();
  const routes: [string, string][] = [["GET", "/health"], ["HEAD", "/health"], ["HEAD", "/"], [
    "HEAD",
    "/api/hello",
  ]];
  for (const [method, path] of routes) {
    const headers: Record<string, string>[] = [{}, { "x-api-key": "wrong" }];
    for (const each of headers) {
      const response = await send(gateway, [method, path], each);
      assert.equal(response.status, 200, `${method} ${path}`);
    }
  }
});

/** Credentials that are accepted, and the name of their client. */
const ACCEPTED: Record<string, [headers: Record<string, string>, client: string]> = {
  "x-api-key": [{ "x-api-key": ALICE }, "alice"],
  "x-api-key with space around it": [{ "x-api-key": `  ${ALICE} ` }, "alice"],
  "a Bearer token": [{ authorization: `Bearer ${ALICE}` }, "alice"],
  "a token with its scheme in small letters": [{ authorization: `bearer   ${ALICE}` }, "alice"],
  "a key that is configured by its digest": [{ "x-api-key": BOB }, "bob"],
  "two keys, of which the first counts": [{ "x-api-key": BOB, authorization: `Bearer ${ALICE}` }, "bob"],
  "two keys, of which one is not the gateway's": [
    { "x-api-key": "sk-ant-x", authorization: `Bearer ${ALICE}` },
    "alice",
  ],
  "the admin's key": [{ authorization: `Bearer ${ADMIN_KEY}` }, "admin"],
};

for (const [name, [headers, client]] of Object.entries(ACCEPTED)) {
  test(`every route accepts ${name}, keeps the key from the upstream and logs ${client}`, async () => {
    const gateway = createGatewayWithKeys();
    const { upstream } = gateway;
    const lines = await captureLog(async () => {
      for (const [method, path] of ROUTES) {
        const response = await send(gateway, [method, path], headers);
        await response.text();
        assert.notEqual(response.status, 401, `${method} ${path}`);
      }
    });
    assert.equal(lines.length, ROUTES.length);
    assert.ok(lines.every((line) => JSON.parse(line).client === client), lines.join("\n"));
    assert.ok(upstream.requests.length > 0);
    for (const { headers: sent, body } of upstream.requests) {
      assert.equal(sent.get("authorization"), "Bearer key-of-the-gateway");
      assert.equal(sent.get("x-api-key"), null);
      const whole = JSON.stringify([...sent, body]);
      for (const key of Object.values(headers)) {
        assert.equal(whole.includes(key.trim().slice(-8)), false, whole);
      }
    }
  });
}

test("the log contains no part of a key, a prompt or a header", async () => {
  const gateway = createGatewayWithKeys();
  const keys = [ALICE, BOB, ADMIN_KEY, "mallory-13579-24680"];
  const lines = await captureLog(async () => {
    for (const key of keys) {
      const shown: Record<string, string>[] = [{ "x-api-key": key }, { authorization: `Bearer ${key}` }];
      for (const each of shown) {
        const body = minimalRequest("chat", { messages: [{ role: "user", content: "prompt-of-mine" }] });
        const headers = { "user-agent": "agent-of-mine", ...each };
        await (await gateway.post(body, { path: "/v1/messages?key=query-of-mine", headers })).text();
      }
    }
  });
  assert.equal(lines.length, keys.length * 2);
  const log = lines.join("\n");
  const pieces = keys.flatMap((key) => [key.slice(-8), key.slice(6, 14)]);
  for (const hidden of [...pieces, "prompt-of-mine", "query-of-mine", "agent-of-mine"]) {
    assert.equal(log.includes(hidden), false, hidden);
  }
});

test("POST /v1/messages names the other upstreams if the default one has no key", async () => {
  const UPSTREAMS = '{"local": {"url": "http://127.0.0.1:11434/v1"}}';
  const gateway = createTestGateway({ settings: { OPENROUTER_API_KEY: undefined, UPSTREAMS } });
  const { error } = await (await gateway.post(minimalRequest("chat"))).json();
  assert.equal(
    error.message,
    'Cannot use upstream "openrouter": neither the request nor the gateway has a key for it ' +
      '(models of other upstreams are named "local/…")',
  );
});

test("POST /v1/messages returns 500 if keys are set but none for the upstream, and does not forward the client's key", async () => {
  const gateway = createGatewayWithKeys({ OPENROUTER_API_KEY: undefined });
  for (const key of [ALICE, ADMIN_KEY]) {
    const response = await gateway.post(minimalRequest("chat"), { headers: { "x-api-key": key } });
    const { error } = await response.json();
    assert.deepEqual([response.status, response.headers.get("x-should-retry")], [500, "false"]);
    assert.equal(
      error.message,
      'Cannot use upstream "openrouter": the gateway has no key for it, and does not forward client keys',
    );
  }
  assert.equal(gateway.upstream.requests.length, 0);
  const headers = { "x-api-key": ALICE };
  const echo = await gateway.post(minimalRequest("chat", { model: "demo/echo" }), { headers });
  assert.equal(echo.status, 200, await echo.text());
});

test("GATEWAY_ADMIN_KEY without client keys rejects no client and is not forwarded", async () => {
  const gateway = createGatewayWithKeys({ GATEWAY_API_KEYS: undefined, OPENROUTER_API_KEY: undefined });
  const { requests } = gateway.upstream;
  const ask = (key: string) => gateway.post(minimalRequest("chat"), { headers: { "x-api-key": key } });
  const own = await ask("sk-of-a-client");
  assert.equal(own.status, 200, await own.text());
  assert.equal(requests[0]?.headers.get("authorization"), "Bearer sk-of-a-client");
  const admin = await ask(ADMIN_KEY);
  assert.equal(admin.status, 500, await admin.text());
  assert.equal(requests.length, 1);
});

test("GET /status returns details to the admin key only", async () => {
  const details = ["requests", "upstreams"];
  const keysOf = async (gateway: TestGateway, key: string) =>
    Object.keys(await (await gateway.get("/status", { "x-api-key": key })).json());
  const locked = createGatewayWithKeys();
  for (const name of details) {
    assert.equal((await keysOf(locked, ALICE)).includes(name), false, name);
    assert.ok((await keysOf(locked, ADMIN_KEY)).includes(name), name);
    assert.ok(
      (await keysOf(createGatewayWithKeys({ GATEWAY_API_KEYS: undefined }), "")).includes(name),
      name,
    );
  }
});

test("GET /status counts the other open requests", async () => {
  const upstream = { body: writeDelta({ content: "Hi" }), ending: "open" as const };
  const gateway = createTestGateway({ upstream });
  const openRequests = async () => dig(await (await gateway.get("/status")).json(), "requests", "open");
  assert.equal(await openRequests(), 0);
  const answer = await gateway.post(minimalRequest("chat", { stream: true }));
  assert.equal(await openRequests(), 1);
  await answer.body?.cancel();
  assert.equal(await openRequests(), 0);
});

/** Headers and fields with which other gateways select an upstream. */
const OVERRIDES = {
  headers: {
    "x-upstream-host": "evil.test",
    "x-portkey-custom-host": "https://evil.test/v1",
    "x-portkey-config": '{"custom_host":"https://evil.test"}',
    "x-forwarded-host": "evil.test",
    "x-openrouter-base-url": "https://evil.test",
    "x-gateway-upstream": "evil.test",
    "openai-organization": "evil",
    cookie: "a=b",
    forwarded: "host=evil.test",
  },
  body: {
    api_base: "https://evil.test",
    base_url: "https://evil.test",
    api_key: "evil-key",
    custom_llm_provider: "evil",
    user_config: { api_base: "https://evil.test" },
    extra_headers: { authorization: "evil" },
  },
};

for (const api of UPSTREAM_APIS) {
  test(`POST /v1/messages ignores headers and fields that name another upstream (${api})`, async () => {
    const gateway = createGatewayWithKeys(API_SETTINGS[api]);
    const { requests } = gateway.upstream;
    const headers = { "x-api-key": ALICE, ...OVERRIDES.headers };
    const response = await gateway.post(minimalRequest(api, OVERRIDES.body), { headers });
    await response.text();
    const path = { chat: "/chat/completions", native: "/messages", responses: "/responses" }[api];
    assert.deepEqual(requests.map(({ url }) => url), [`https://openrouter.ai/api/v1${path}`]);
    assert.equal(JSON.stringify(requests.map(({ body }) => body)).includes("evil"), false);
    const sent = [...requests[0]?.headers ?? []];
    assert.equal(JSON.stringify(sent).includes("evil"), false);
    assert.deepEqual(
      sent.map(([name]) => name),
      ["accept", "accept-encoding", "authorization", "content-type", "user-agent", "x-correlation-id"],
    );
  });
}
