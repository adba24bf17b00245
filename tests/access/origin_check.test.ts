import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";

const KEY = "alice-0123456789abcdef";

const upstream = { body: COMPLETE_STREAMS.chat };

interface OriginCase {
  /** The address that the gateway listens on; without it, the gateway is embedded. */
  on?: string;
  settings?: Settings;
  url?: string;
  /** The `Host` header. Default: that of the URL. */
  host?: string;
  origin?: string;
  status: 200 | 403;
}

/** Hosts and origins, and whether they are accepted. */
const CASES: OriginCase[] = [
  ...["localhost", "localhost:4000", "LOCALHOST:1", "127.0.0.1:4000", "127.0.0.1", "[::1]:4000", "[0::1]"]
    .map((
      host,
    ): OriginCase => ({ on: "127.0.0.1", host, status: 200 })),
  ...[
    "evil.test",
    "evil.test:4000",
    "localhost.evil.test",
    "evil-localhost",
    "localhost.",
    "127.0.0.1.nip.test",
    "127.0.0.2",
    "0.0.0.0:4000",
    "192.168.1.9:4000",
    "localhost@evil.test",
    "evil.test#localhost",
    "localhost/evil.test",
    "localhost:4000:4000",
    "localhost, evil.test",
    "[::1",
    "%6cocalhost",
    "",
  ].map((host): OriginCase => ({ on: "localhost", host, status: 403 })),
  { on: "127.0.0.1", url: "http://evil.test", host: "localhost", status: 403 },
  { on: "127.0.0.1", url: "http://evil.test", status: 403 },
  { on: "127.0.0.2", host: "127.0.0.2:4000", status: 200 },
  { on: "::1", host: "evil.test", status: 403 },
  { on: "127.0.0.1", host: "gateway.test", settings: { ALLOWED_HOSTS: "gateway.test" }, status: 200 },
  { on: "127.0.0.1", host: "localhost", settings: { ALLOWED_HOSTS: "gateway.test" }, status: 200 },
  { on: "0.0.0.0", host: "anything.test", status: 200 },
  { on: "0.0.0.0", host: "anything.test", settings: { ALLOWED_HOSTS: "gateway.test" }, status: 403 },
  { on: "0.0.0.0", host: "0.0.0.0:4000", settings: { ALLOWED_HOSTS: "gateway.test" }, status: 403 },
  { host: "anything.test", status: 200 },
  { host: "anything.test", settings: { ALLOWED_HOSTS: "gateway.test" }, status: 403 },
  { host: "gateway.test:443", settings: { ALLOWED_HOSTS: "gateway.test" }, status: 200 },
  ...[
    "https://evil.test",
    "http://localhost:3000",
    "http://localhost.evil.test",
    "null",
    "",
    "file://",
    "chrome-extension://abcdef",
    "http://localhost:4000, http://evil.test",
  ].map((origin): OriginCase => ({ on: "127.0.0.1", host: "localhost:4000", origin, status: 403 })),
  { on: "127.0.0.1", host: "localhost:4000", origin: "http://localhost:4000", status: 200 },
  { on: "127.0.0.1", host: "localhost:80", origin: "http://localhost", status: 200 },
  {
    on: "127.0.0.1",
    host: "localhost:4000",
    origin: "https://chat.test",
    settings: { CORS_ORIGINS: "https://chat.test" },
    status: 200,
  },
  {
    on: "127.0.0.1",
    host: "localhost:4000",
    origin: "https://chat.test:8443",
    settings: { CORS_ORIGINS: "https://chat.test" },
    status: 403,
  },
  {
    on: "127.0.0.1",
    host: "localhost:4000",
    origin: "http://chat.test",
    settings: { CORS_ORIGINS: "https://chat.test" },
    status: 403,
  },
  {
    on: "127.0.0.1",
    host: "localhost",
    origin: "https://any.test",
    settings: { CORS_ORIGINS: "*" },
    status: 200,
  },
  // DNS rebinding: an attacker's host name resolves to this machine, and has the origin of the attacker's page.
  { on: "127.0.0.1", host: "evil.test:4000", origin: "http://evil.test:4000", status: 403 },
  {
    on: "127.0.0.1",
    host: "evil.test",
    origin: "http://evil.test",
    settings: { CORS_ORIGINS: "*" },
    status: 403,
  },
  { host: "gateway.test", origin: "https://evil.test", status: 200 },
  {
    host: "gateway.test",
    origin: "https://evil.test",
    settings: { CORS_ORIGINS: "https://chat.test" },
    status: 403,
  },
  {
    host: "gateway.test",
    origin: "https://gateway.test",
    settings: { CORS_ORIGINS: "https://chat.test" },
    status: 200,
  },
];

for (const { on, settings, url = "http://localhost", host, origin, status } of CASES) {
  const given = JSON.stringify({ on, settings, url, host, origin });
  test(`every route ${status === 200 ? "accepts" : "rejects"} ${given}`, async () => {
    const gateway = createTestGateway({ settings: settings ?? {}, upstream, host: on });
    for (
      const [method, path] of [["POST", "/v1/messages"], ["GET", "/health"], ["OPTIONS", "/v1/messages"]]
    ) {
      const headers = new Headers({ "content-type": "application/json", "x-api-key": KEY });
      if (host !== undefined) headers.set("host", host);
      if (origin !== undefined) headers.set("origin", origin);
      const body = method === "POST" ? JSON.stringify(minimalRequest("chat")) : null;
      const response = await gateway.fetch(new Request(`${url}${path}`, { method, headers, body }));
      const text = await response.text();
      if (status === 403) {
        const { type, error, request_id } = JSON.parse(text);
        assert.deepEqual([response.status, type, error.type], [403, "error", "permission_error"]);
        assert.match(
          error.message,
          /^Cannot accept (host|origin) ".*": (ALLOWED_HOSTS|CORS_ORIGINS) does not list it$/,
        );
        assert.equal(request_id, response.headers.get("request-id"));
      } else if (method !== "OPTIONS") assert.equal(response.status, 200, text);
      const allowed = origin !== undefined && ["*", origin].some((one) => one === settings?.CORS_ORIGINS);
      assert.equal(response.headers.has("access-control-allow-origin"), allowed);
    }
    assert.equal(gateway.upstream.requests.length, status === 200 ? 1 : 0);
  });
}

const PREFLIGHT = { origin: "https://chat.test", "access-control-request-method": "POST" };
const SENT_BY_SDKS = [
  "authorization",
  "x-api-key",
  "content-type",
  "anthropic-version",
  "anthropic-beta",
  "anthropic-dangerous-direct-browser-access",
  "x-stainless-lang",
  "x-stainless-package-version",
  "x-stainless-os",
  "x-stainless-arch",
  "x-stainless-runtime",
  "x-stainless-runtime-version",
  "x-stainless-retry-count",
  "x-stainless-timeout",
  "x-stainless-helper",
];
const READ_BY_SDKS = [
  "request-id",
  "retry-after",
  "x-should-retry",
  "anthropic-ratelimit-requests-remaining",
  "anthropic-ratelimit-input-tokens-reset",
  "x-gateway-model",
  "x-gateway-loss",
  "x-token-count-source",
  "x-correlation-id",
];

test("CORS_ORIGINS allows every header that SDKs send and exposes every header that they read", async () => {
  const settings = { CORS_ORIGINS: "https://chat.test", GATEWAY_API_KEYS: KEY };
  const gateway = createTestGateway({ settings, upstream });
  const request = new Request("http://gateway.test/v1/messages", { method: "OPTIONS", headers: PREFLIGHT });
  const preflight = await gateway.fetch(request);
  assert.deepEqual([preflight.status, await preflight.text()], [204, ""]);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "https://chat.test");
  assert.equal(preflight.headers.get("vary"), "Origin");
  assert.equal(preflight.headers.get("access-control-allow-credentials"), null);
  assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /\bPOST\b/);
  const allowed = preflight.headers.get("access-control-allow-headers")?.split(", ") ?? [];
  for (const name of SENT_BY_SDKS) assert.ok(allowed.includes(name), name);

  for (const key of [KEY, "wrong"]) {
    const headers = { "x-api-key": key, origin: "https://chat.test" };
    const response = await gateway.post(minimalRequest("chat"), { headers });
    assert.equal(response.status, key === KEY ? 200 : 401);
    assert.equal(response.headers.get("access-control-allow-origin"), "https://chat.test");
    assert.equal(response.headers.get("vary"), "Origin");
    const exposed = response.headers.get("access-control-expose-headers")?.split(", ") ?? [];
    for (const name of READ_BY_SDKS) assert.ok(exposed.includes(name), name);
    for (const name of response.headers.keys()) {
      const plain = /^(content-|cache-control$|access-control-|vary$)/.test(name);
      assert.ok(plain || exposed.includes(name), `pages cannot read ${name}`);
    }
    await response.text();
  }
});

test("CORS_ORIGINS sets vary: Origin on responses without an origin too", async () => {
  const gateway = createTestGateway({ settings: { CORS_ORIGINS: "https://chat.test" } });
  const response = await gateway.get("/health");
  assert.equal(response.headers.get("vary"), "Origin");
  assert.equal(response.headers.get("access-control-allow-origin"), null);
});

test("CORS_ORIGINS=* allows every origin without naming it", async () => {
  const gateway = createTestGateway({ settings: { CORS_ORIGINS: "*" } });
  const headers = { ...PREFLIGHT, origin: "https://any.test" };
  const response = await gateway.fetch(new Request("http://gateway.test/", { method: "OPTIONS", headers }));
  assert.equal(response.status, 204);
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.equal(response.headers.get("vary"), null);
});

test("a gateway without CORS_ORIGINS sends no CORS headers", async () => {
  const gateway = createTestGateway({ settings: { GATEWAY_API_KEYS: KEY } });
  const request = new Request("http://gateway.test/v1/messages", { method: "OPTIONS", headers: PREFLIGHT });
  const response = await gateway.fetch(request);
  assert.equal(response.status, 401, await response.text());
  assert.deepEqual([...response.headers.keys()].filter((name) => /^(access-control|vary)/.test(name)), []);
});

/** Headers of a body, and the status; the message if the body is rejected. */
const CONTENTS: [headers: Record<string, string>, status: number, message?: RegExp][] = [
  [{ "content-type": "application/json" }, 200],
  [{ "content-type": "application/json; charset=utf-8" }, 200],
  [{ "content-type": "APPLICATION/JSON" }, 200],
  [{ "content-type": "application/json", "content-encoding": "identity" }, 200],
  [
    { "content-type": "text/plain" },
    400,
    /^Cannot read content-type "text\/plain": only application\/json is accepted$/,
  ],
  [{ "content-type": "text/plain; application/json" }, 400, /^Cannot read content-type/],
  [{ "content-type": "application/x-www-form-urlencoded" }, 400, /^Cannot read content-type/],
  [{ "content-type": "multipart/form-data; boundary=application/json" }, 400, /^Cannot read content-type/],
  [{ "content-type": "application/jsonp" }, 400, /^Cannot read content-type/],
  [{ "content-type": "text/plain, application/json" }, 400, /^Cannot read content-type/],
  [{ "content-type": "" }, 400, /^Cannot read content-type/],
  ...["gzip", "br", "deflate", "zstd", "identity, gzip", "aws-chunked", ""].map((encoding) =>
    [
      { "content-type": "application/json", "content-encoding": encoding },
      400,
      /^Cannot read content-encoding ".*": only uncompressed bodies are accepted$/,
    ] satisfies [Record<string, string>, number, RegExp]
  ),
];

for (const [headers, status, message] of CONTENTS) {
  test(`every endpoint with a body ${status === 200 ? "accepts" : "rejects"} ${JSON.stringify(headers)}`, async () => {
    for (const path of ["/v1/messages", "/v1/messages/stream", "/v1/messages/count_tokens"]) {
      const gateway = createTestGateway({ upstream });
      const response = await gateway.post(minimalRequest("chat"), { headers, path });
      const text = await response.text();
      assert.equal(response.status, status, text);
      if (message === undefined) continue;
      const { error } = JSON.parse(text);
      assert.equal(error.type, "invalid_request_error");
      assert.match(error.message, message);
      const encoded = "content-encoding" in headers;
      const code = encoded ? { error_code: "request_body_encoding_unsupported" } : undefined;
      assert.deepEqual(error.details, code);
      assert.equal(response.headers.get("x-should-retry"), "false");
      assert.equal(gateway.upstream.requests.length, 0);
    }
  });
}

test("POST /v1/messages rejects a body without content-type, which a web page can send without a preflight", async () => {
  const gateway = createTestGateway();
  const body = new Blob([JSON.stringify(minimalRequest("chat"))]);
  const request = new Request("http://gateway.test/v1/messages", { method: "POST", body });
  request.headers.delete("content-type");
  const response = await gateway.fetch(request);
  const { error } = await response.json();
  assert.equal(response.status, 400);
  assert.equal(error.message, "Cannot read a body without content-type: only application/json is accepted");
});
