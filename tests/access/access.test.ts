import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createGateway } from "../../lib/gateway.ts";
import { hello, post, TestClock, TestUpstream, toBytes } from "../properties/support.ts";
import { logOf } from "../kit/log.ts";

const ALICE = "alice-0123456789abcdef";
const BOB = "bob-fedcba9876543210";
const OWNER = "owner-0123456789abcdef";
// printf %s "$BOB" | sha256sum
const BOB_DIGEST = "sha256:c445ccb0c05e4c800d8eecf2b009ab2662b1f59bbd77332d74366b0a2abd4382";

const SAID = 'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
const answers = () => new TestUpstream(() => ({ pieces: [toBytes(SAID)] }));

/** A gateway with keys. */
function create(upstream = answers(), settings: Settings = {}) {
  const locked: Settings = {
    GATEWAY_API_KEYS: `alice:${ALICE},bob:${BOB_DIGEST}`,
    GATEWAY_ADMIN_KEY: OWNER,
    OPENROUTER_API_KEY: "key-of-the-gateway",
    ...settings,
  };
  return createGateway({ settings: locked, fetch: upstream.fetch, clock: new TestClock() });
}

/** A request; one with a body asks for a message. */
function request(method: string, path: string, headers: Record<string, string> = {}): Request {
  if (method !== "POST") return new Request(`http://localhost${path}`, { method, headers });
  const own = new Headers({ "content-type": "application/json", ...headers });
  return post(hello("chat"), { headers: own }, path);
}

/** Every route there is, and some that are none. */
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
  ["GET", "/unknown"],
  ["POST", "/unknown"],
  ["DELETE", "/v1/models"],
  ["OPTIONS", "/v1/messages"],
];

/** Whatever does not open, in one header or both. */
const REFUSED: Record<string, [headers: Record<string, string>, message: string]> = {
  "no key": [{}, "x-api-key header is required"],
  "an empty key": [{ "x-api-key": "" }, "x-api-key header is required"],
  "space for a key": [{ "x-api-key": "  " }, "x-api-key header is required"],
  "another key": [{ "x-api-key": "mallory-0123456789" }, "invalid x-api-key"],
  "undefined": [{ authorization: "Bearer undefined" }, "invalid x-api-key"],
  "null": [{ "x-api-key": "null" }, "invalid x-api-key"],
  "the beginning of a key": [{ "x-api-key": ALICE.slice(0, -1) }, "invalid x-api-key"],
  "a key and more": [{ "x-api-key": `${ALICE}0` }, "invalid x-api-key"],
  "two keys in one": [{ "x-api-key": `${ALICE}, ${ALICE}` }, "invalid x-api-key"],
  "a key in capitals": [{ "x-api-key": ALICE.toUpperCase() }, "invalid x-api-key"],
  "a name": [{ "x-api-key": "alice" }, "invalid x-api-key"],
  "a name and its key": [{ "x-api-key": `alice:${ALICE}` }, "invalid x-api-key"],
  "the digest of a key": [{ "x-api-key": BOB_DIGEST }, "invalid x-api-key"],
  "the digits of a digest": [{ "x-api-key": BOB_DIGEST.slice(7) }, "invalid x-api-key"],
  "the upstream's key": [{ "x-api-key": "key-of-the-gateway" }, "invalid x-api-key"],
  "a name that every object has": [{ "x-api-key": "__proto__" }, "invalid x-api-key"],
  "a key without its scheme": [{ authorization: ALICE }, "x-api-key header is required"],
  "a key of another scheme": [{ authorization: `Basic ${ALICE}` }, "x-api-key header is required"],
  "a key in two words": [{ authorization: `Bearer ${ALICE} x` }, "x-api-key header is required"],
  "a key where none is looked for": [
    { cookie: `x-api-key=${ALICE}`, "api-key": ALICE },
    "x-api-key header is required",
  ],
};

test("no route is answered without a known key, unknown ones among them, and no upstream is asked", async () => {
  const upstream = answers();
  const gateway = create(upstream);
  for (const [method, path] of ROUTES) {
    for (const [name, [headers, message]] of Object.entries(REFUSED)) {
      const response = await gateway.fetch(request(method, path, headers));
      const told = await response.text();
      assert.equal(response.status, 401, `${method} ${path} with ${name}: ${told}`);
      assert.equal(response.headers.get("x-should-retry"), "false");
      const id = response.headers.get("request-id");
      assert.match(id ?? "", /^req_/);
      if (method === "HEAD") assert.equal(told, "");
      else {
        const error = { type: "authentication_error", message };
        assert.deepEqual(JSON.parse(told), { type: "error", error, request_id: id });
      }
    }
  }
  assert.equal(upstream.requests.length, 0);
});

test("a key in the query opens nothing", async () => {
  for (const name of ["x-api-key", "api_key", "key", "token"]) {
    const path = `/v1/models?${name}=${ALICE}`;
    assert.equal((await create().fetch(request("GET", path))).status, 401);
  }
});

test("what tells only that somebody answers needs no key", async () => {
  const gateway = create();
  for (
    const [method, path] of [["GET", "/health"], ["HEAD", "/health"], ["HEAD", "/"], ["HEAD", "/api/hello"]]
  ) {
    const headers: Record<string, string>[] = [{}, { "x-api-key": "wrong" }];
    for (const each of headers) {
      const response = await gateway.fetch(request(method ?? "", path ?? "", each));
      assert.equal(response.status, 200, `${method} ${path}`);
    }
  }
});

/** What opens, and by which name the gateway then knows who asks. */
const OPENED: Record<string, [headers: Record<string, string>, client: string]> = {
  "x-api-key": [{ "x-api-key": ALICE }, "alice"],
  "x-api-key with space around it": [{ "x-api-key": `  ${ALICE} ` }, "alice"],
  "a Bearer token": [{ authorization: `Bearer ${ALICE}` }, "alice"],
  "a token with its scheme in small letters": [{ authorization: `bearer   ${ALICE}` }, "alice"],
  "a key that is known by its digest": [{ "x-api-key": BOB }, "bob"],
  "two keys, of which the first counts": [{ "x-api-key": BOB, authorization: `Bearer ${ALICE}` }, "bob"],
  "two keys, of which one is somebody else's": [
    { "x-api-key": "sk-ant-x", authorization: `Bearer ${ALICE}` },
    "alice",
  ],
  "the admin's key": [{ authorization: `Bearer ${OWNER}` }, "admin"],
};

for (const [name, [headers, client]] of Object.entries(OPENED)) {
  test(`${name} opens, is told upstream to nobody, and logged as ${client}`, async () => {
    const upstream = answers();
    const gateway = create(upstream);
    const lines = await logOf(async () => {
      for (const [method, path] of ROUTES) {
        const response = await gateway.fetch(request(method, path, headers));
        await response.text();
        assert.notEqual(response.status, 401, `${method} ${path}`);
      }
    });
    assert.equal(lines.length, ROUTES.length);
    assert.ok(lines.every((line) => JSON.parse(line).client === client), lines.join("\n"));
    assert.ok(upstream.requests.length > 0);
    for (const { init, body } of upstream.requests) {
      const sent = new Headers(init.headers);
      assert.equal(sent.get("authorization"), "Bearer key-of-the-gateway");
      assert.equal(sent.get("x-api-key"), null);
      const whole = JSON.stringify([...sent, body]);
      for (const key of Object.values(headers)) {
        assert.equal(whole.includes(key.trim().slice(-8)), false, whole);
      }
    }
  });
}

test("no part of a key, of a prompt or of a header is logged, whether it opens or not", async () => {
  const gateway = create();
  const keys = [ALICE, BOB, OWNER, "mallory-13579-24680"];
  const lines = await logOf(async () => {
    for (const key of keys) {
      const shown: Record<string, string>[] = [{ "x-api-key": key }, { authorization: `Bearer ${key}` }];
      for (const each of shown) {
        const body = hello("chat", { messages: [{ role: "user", content: "prompt-of-mine" }] });
        const headers = { "content-type": "application/json", "user-agent": "tell-nobody", ...each };
        await (await gateway.fetch(post(body, { headers }, "/v1/messages?key=query-of-mine"))).text();
      }
    }
  });
  assert.equal(lines.length, keys.length * 2);
  const told = lines.join("\n");
  const pieces = keys.flatMap((key) => [key.slice(-8), key.slice(6, 14)]);
  for (const hidden of [...pieces, "prompt-of-mine", "query-of-mine", "tell-nobody"]) {
    assert.equal(told.includes(hidden), false, hidden);
  }
});

test("with keys but none for the upstream, that is the owner's to see to, and the client's key stays inside", async () => {
  const upstream = answers();
  const gateway = create(upstream, { OPENROUTER_API_KEY: undefined });
  for (const key of [ALICE, OWNER]) {
    const response = await gateway.fetch(request("POST", "/v1/messages", { "x-api-key": key }));
    const { error } = await response.json();
    assert.deepEqual([response.status, response.headers.get("x-should-retry")], [500, "false"]);
    assert.equal(
      error.message,
      'Cannot use upstream "openrouter": the gateway has no key for it, and does not forward client keys',
    );
  }
  assert.equal(upstream.requests.length, 0);
  const init = { headers: { "content-type": "application/json", "x-api-key": ALICE } };
  const echo = await gateway.fetch(post({ ...hello("chat"), model: "demo/echo" }, init));
  assert.equal(echo.status, 200, await echo.text());
});

test("an admin key alone locks nobody out, and is passed on to nobody", async () => {
  const upstream = answers();
  const gateway = create(upstream, { GATEWAY_API_KEYS: undefined, OPENROUTER_API_KEY: undefined });
  const own = await gateway.fetch(request("POST", "/v1/messages", { "x-api-key": "sk-of-a-client" }));
  assert.equal(own.status, 200, await own.text());
  const [sent] = upstream.requests;
  assert.equal(new Headers(sent?.init.headers).get("authorization"), "Bearer sk-of-a-client");
  const admin = await gateway.fetch(request("POST", "/v1/messages", { "x-api-key": OWNER }));
  assert.equal(admin.status, 500, await admin.text());
  assert.equal(upstream.requests.length, 1);
});

test("GET /status tells clients that it runs, and the owner what it does", async () => {
  const details = ["requests", "upstreams"];
  const keysOf = async (gateway: ReturnType<typeof create>, key: string) =>
    Object.keys(await (await gateway.fetch(request("GET", "/status", { "x-api-key": key }))).json());
  const locked = create();
  for (const name of details) {
    assert.equal((await keysOf(locked, ALICE)).includes(name), false, name);
    assert.ok((await keysOf(locked, OWNER)).includes(name), name);
    assert.ok((await keysOf(create(answers(), { GATEWAY_API_KEYS: undefined }), "")).includes(name), name);
  }
});

/** What some gateways take for the wish to be sent elsewhere. */
const DETOURS = {
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

for (const road of ["chat", "native"] as const) {
  test(`a client cannot send its request elsewhere (${road})`, async () => {
    const upstream = answers();
    const gateway = create(upstream);
    const headers = { "content-type": "application/json", "x-api-key": ALICE, ...DETOURS.headers };
    const response = await gateway.fetch(post(hello(road, DETOURS.body), { headers }));
    await response.text();
    const path = road === "chat" ? "/chat/completions" : "/messages";
    assert.deepEqual(upstream.requests.map(({ url }) => url), [`https://openrouter.ai/api/v1${path}`]);
    assert.equal(JSON.stringify(upstream.requests.map(({ body }) => body)).includes("evil"), false);
    const sent = [...new Headers(upstream.requests[0]?.init.headers)];
    assert.equal(JSON.stringify(sent).includes("evil"), false);
    assert.deepEqual(
      sent.map(([name]) => name),
      ["accept", "accept-encoding", "authorization", "content-type", "user-agent"],
    );
  });
}
